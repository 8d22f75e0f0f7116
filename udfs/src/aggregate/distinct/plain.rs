//! Values of any type as one of five kinds, such that equal values are equal bits or bytes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewArray, ListArray, PrimitiveArray,
    make_array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type,
    Field, FieldRef, IntervalUnit, UInt32Type, UInt64Type,
};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, internal_datafusion_err};
use datafusion_expr::utils::format_state_name;

/// What values are kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bits32,
    Bits64,
    Bits128,
    Bits256,
    Bytes,
}

impl Kind {
    /// The type of an array of this kind.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Bits32 => DataType::UInt32,
            Self::Bits64 => DataType::UInt64,
            Self::Bits128 => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
            Self::Bits256 => DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0),
            Self::Bytes => DataType::BinaryView,
        }
    }

    /// The type of such values in a list that is handed on. Bytes are no views there: a piece of
    /// a list of views would take along all that the whole list refers to.
    pub(super) fn listed_type(self) -> DataType {
        match self {
            Self::Bytes => DataType::LargeBinary,
            bits => bits.data_type(),
        }
    }

    pub(super) fn list_field(self) -> FieldRef {
        Arc::new(Field::new_list_field(self.listed_type(), true))
    }

    /// The values that the lists hold, as an array of this kind: only those of its own piece.
    pub(super) fn listed(self, lists: &ListArray) -> ArrayRef {
        let offsets = lists.offsets();
        let (from, to) = (offsets[0] as usize, offsets[lists.len()] as usize);
        let values = lists.values().slice(from, to - from);
        match self {
            Self::Bytes => Arc::new(BinaryViewArray::from(values.as_binary::<i64>())),
            _ => values,
        }
    }
}

/// How values of some types become those of a kind.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(super) kind: Kind,
    how: How,
}

#[derive(Debug)]
enum How {
    /// The same bits under another name.
    Bits,
    /// Floats, where -0 is 0.
    Floats,
    /// What Arrow casts without loss.
    Cast(DataType, Box<Plain>),
    Bytes,
    /// The row format of several columns, or of one that is nested.
    Rows(RowConverter),
}

impl Plain {
    /// For columns of these types; `None` where Arrow has no row format for one.
    pub(crate) fn of_types(types: &[DataType]) -> Result<Option<Self>> {
        match types {
            [one] => Self::of_type(one),
            several => Self::of_rows(several),
        }
    }

    fn of_type(data_type: &DataType) -> Result<Option<Self>> {
        let (kind, how) = match data_type {
            DataType::Int32
            | DataType::UInt32
            | DataType::Date32
            | DataType::Time32(_)
            | DataType::Interval(IntervalUnit::YearMonth)
            | DataType::Decimal32(..) => (Kind::Bits32, How::Bits),
            DataType::Int64
            | DataType::UInt64
            | DataType::Date64
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Duration(_)
            | DataType::Decimal64(..) => (Kind::Bits64, How::Bits),
            DataType::Decimal128(..) => (Kind::Bits128, How::Bits),
            DataType::Decimal256(..) => (Kind::Bits256, How::Bits),
            DataType::Float32 => (Kind::Bits32, How::Floats),
            DataType::Float64 => (Kind::Bits64, How::Floats),
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::UInt8
            | DataType::UInt16 => return Self::of_cast(&DataType::Int32),
            DataType::Float16 => return Self::of_cast(&DataType::Float32),
            DataType::Dictionary(_, values) => return Self::of_cast(values),
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => (Kind::Bytes, How::Bytes),
            other => return Self::of_rows(std::slice::from_ref(other)),
        };
        Ok(Some(Self { kind, how }))
    }

    fn of_cast(to: &DataType) -> Result<Option<Self>> {
        Ok(Self::of_type(to)?.map(|then| Self {
            kind: then.kind,
            how: How::Cast(to.clone(), Box::new(then)),
        }))
    }

    fn of_rows(types: &[DataType]) -> Result<Option<Self>> {
        let fields: Vec<SortField> = types.iter().cloned().map(SortField::new).collect();
        if types.is_empty() || !RowConverter::supports_fields(&fields) {
            return Ok(None);
        }
        Ok(Some(Self {
            kind: Kind::Bytes,
            how: How::Rows(RowConverter::new(fields)?),
        }))
    }

    /// Values as their kind; NULL where any of a row's is.
    pub(super) fn of(&self, columns: &[ArrayRef]) -> Result<ArrayRef> {
        let values = &columns[0];
        match &self.how {
            How::Bits => self.bits(values),
            How::Floats => self.bits(&positive_zeros(values)),
            How::Cast(to, then) => then.of(&[cast(values, to)?]),
            How::Bytes => Ok(cast(values, &DataType::BinaryView)?),
            How::Rows(converter) => rows(converter, columns),
        }
    }

    fn bits(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match self.kind {
            Kind::Bits32 => renamed::<UInt32Type>(values, self.kind),
            Kind::Bits64 => renamed::<UInt64Type>(values, self.kind),
            Kind::Bits128 => renamed::<Decimal128Type>(values, self.kind),
            Kind::Bits256 => renamed::<Decimal256Type>(values, self.kind),
            Kind::Bytes => Err(internal_datafusion_err!("bytes are not of a fixed width")),
        }
    }

    /// What accumulators of such values hand on: the first of a group's, and the others.
    pub(crate) fn state_fields(&self, name: &str) -> Vec<FieldRef> {
        let first = format_state_name(name, "distinct first");
        let rest = format_state_name(name, "distinct rest");
        vec![
            Arc::new(Field::new(first, self.kind.data_type(), true)),
            Arc::new(Field::new(
                rest,
                DataType::List(self.kind.list_field()),
                true,
            )),
        ]
    }
}

fn renamed<T: ArrowPrimitiveType>(values: &ArrayRef, kind: Kind) -> Result<ArrayRef> {
    let data = values.to_data();
    let bits = ScalarBuffer::<T::Native>::new(data.buffers()[0].clone(), data.offset(), data.len());
    let values = PrimitiveArray::<T>::try_new(bits, data.nulls().cloned())?;
    Ok(Arc::new(values.with_data_type(kind.data_type())))
}

/// Bits under the name of the type they came from.
pub(super) fn renamed_back(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let data = values.to_data().into_builder();
    Ok(make_array(data.data_type(data_type.clone()).build()?))
}

/// 0 for -0. All others keep their bits, those that are no number too.
pub(crate) fn positive_zeros(values: &ArrayRef) -> ArrayRef {
    use arrow::datatypes::{Float32Type, Float64Type};
    match values.data_type() {
        DataType::Float32 => {
            let plain = |x: f32| if x == 0.0 { 0.0 } else { x };
            let values = values.as_primitive::<Float32Type>();
            Arc::new(values.unary::<_, Float32Type>(plain))
        }
        _ => {
            let plain = |x: f64| if x == 0.0 { 0.0 } else { x };
            let values = values.as_primitive::<Float64Type>();
            Arc::new(values.unary::<_, Float64Type>(plain))
        }
    }
}

fn rows(converter: &RowConverter, columns: &[ArrayRef]) -> Result<ArrayRef> {
    let nulls = columns.iter().fold(None, |nulls, column| {
        NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
    });
    let rows = converter.convert_columns(columns)?.try_into_binary()?;
    let (offsets, bytes, _) = rows.into_parts();
    let rows = arrow::array::BinaryArray::try_new(offsets, bytes, nulls)?;
    Ok(Arc::new(BinaryViewArray::from(&rows)))
}
