//! A dozen values of every type, some of them the same to `DISTINCT`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

pub(super) const VALUES: usize = 12;

/// Around eleven, twelve and thirteen bytes, with the same beginnings and ends.
pub(super) const TEXTS: [&str; VALUES] = [
    "",
    "a",
    "b",
    "abcdefghijk",
    "abcdefghijkl",
    "abcdefghijkm",
    "abcdefghijklm",
    "abcdefghijklmnopqrstuvwxyz-1",
    "abcdefghijklmnopqrstuvwxyz-2",
    "zbcdefghijklmnopqrstuvwxyz-1",
    "a\0",
    "a\0\0",
];

/// The values 0 and 1, as well as 2 and 3, are one.
pub(super) const DOUBLES: [f64; VALUES] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::NAN,
    1.0,
    -1.0,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    5e-324,
    2.5,
    0.1,
];

pub(super) fn types() -> Vec<DataType> {
    use DataType::*;
    let text = || Box::new(Utf8);
    let parts = Fields::from(vec![
        Field::new("number", Int64, true),
        Field::new("text", Utf8, true),
    ]);
    vec![
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Decimal32(9, 2),
        Decimal64(18, 2),
        Decimal128(38, 3),
        Decimal256(60, 3),
        Date32,
        Date64,
        Time32(TimeUnit::Second),
        Time64(TimeUnit::Nanosecond),
        Timestamp(TimeUnit::Second, None),
        Timestamp(TimeUnit::Nanosecond, Some("Europe/Warsaw".into())),
        Duration(TimeUnit::Microsecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Interval(IntervalUnit::MonthDayNano),
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        FixedSizeBinary(2),
        Dictionary(Box::new(Int32), text()),
        Struct(parts),
        List(Arc::new(Field::new_list_field(Utf8, true))),
        Null,
    ]
}

pub(super) fn numbers(values: &[Option<usize>]) -> ArrayRef {
    Arc::new(Int64Array::from_iter(
        values.iter().map(|it| it.map(|it| it as i64)),
    ))
}

pub(super) fn texts(values: &[Option<usize>]) -> ArrayRef {
    Arc::new(StringArray::from_iter(
        values.iter().map(|it| it.map(|it| TEXTS[it])),
    ))
}

/// Values of a type; and behind NULL something too, where a type can have it.
pub(super) fn column(data_type: &DataType, values: &[Option<usize>]) -> ArrayRef {
    use DataType::*;
    let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
    match data_type {
        Null => arrow::array::new_null_array(&Null, values.len()),
        other if other.is_floating() => {
            let doubles = values.iter().map(|it| it.map(|it| DOUBLES[it]));
            cast(
                &(Arc::new(Float64Array::from_iter(doubles)) as ArrayRef),
                other,
            )
            .unwrap()
        }
        Struct(fields) => {
            let parts = vec![numbers(values), texts(values)];
            Arc::new(StructArray::new(fields.clone(), parts, Some(nulls)))
        }
        List(field) => {
            let ends = OffsetBuffer::from_lengths(vec![1; values.len()]);
            Arc::new(ListArray::new(
                field.clone(),
                ends,
                texts(values),
                Some(nulls),
            ))
        }
        FixedSizeBinary(_) => {
            let pairs = values.iter().map(|it| it.map(|it| [1, it as u8]));
            let pairs =
                arrow::array::FixedSizeBinaryArray::try_from_sparse_iter_with_size(pairs, 2);
            Arc::new(pairs.unwrap())
        }
        Date64 | Interval(IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => {
            let part = |it: &Option<usize>| it.map(|it| it as i64);
            match data_type {
                Date64 => {
                    let days = values.iter().map(|it| part(it).map(|it| it * 86_400_000));
                    Arc::new(arrow::array::Date64Array::from_iter(days))
                }
                Interval(IntervalUnit::DayTime) => {
                    let spans = values.iter().map(|it| {
                        it.map(|it| {
                            arrow::datatypes::IntervalDayTime::new(it as i32 / 4, it as i32)
                        })
                    });
                    Arc::new(arrow::array::IntervalDayTimeArray::from_iter(spans))
                }
                _ => {
                    let spans = values.iter().map(|it| {
                        it.map(|it| {
                            arrow::datatypes::IntervalMonthDayNano::new(1, it as i32 / 4, it as i64)
                        })
                    });
                    Arc::new(arrow::array::IntervalMonthDayNanoArray::from_iter(spans))
                }
            }
        }
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | Dictionary(..) => {
            cast(&texts(values), data_type).unwrap()
        }
        Time32(_) | Decimal32(..) | UInt8 | UInt16 | UInt32 | Interval(_) | Int8 | Int16 => {
            cast(&cast(&numbers(values), &Int32).unwrap(), data_type).unwrap()
        }
        Date32 => cast(&cast(&numbers(values), &Int32).unwrap(), data_type).unwrap(),
        _ => cast(&numbers(values), data_type).unwrap(),
    }
}

/// What of the type's values counts as one; `None` for those that are NULL whatever their number.
pub(super) fn class(data_type: &DataType, value: usize) -> Option<usize> {
    match data_type {
        DataType::Null => None,
        DataType::Boolean => Some(usize::from(value > 0)),
        DataType::Float64 => Some([0, 0, 2, 2, 4, 5, 6, 7, 8, 9, 10, 11][value]),
        // 1e300 is infinite, and 5e-324 is 0.
        DataType::Float32 | DataType::Float16 => {
            Some([0, 0, 2, 2, 4, 5, 7, 7, 8, 0, 10, 11][value])
        }
        _ => Some(value),
    }
}
