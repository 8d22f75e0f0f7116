//! The type that takes in the values of two: files of one source may differ in
//! how wide their numbers are, not in what they are.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

/// Most digits of a DECIMAL.
const MAX_PRECISION: u8 = 38;

/// A type for the values of both; none where one would have to become another
/// kind of thing. A column of NULLs alone is of any type.
pub(super) fn widen(mine: &DataType, theirs: &DataType) -> Option<DataType> {
    use DataType::{Date32, Date64, Decimal128, Float64, Null, Timestamp, Utf8View};
    Some(match (mine, theirs) {
        (mine, theirs) if mine == theirs => mine.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Decimal128(p, s), Decimal128(q, t)) => decimal(p - *s as u8, q - *t as u8, *s.max(t))?,
        (Decimal128(p, s), other) | (other, Decimal128(p, s)) if other.is_integer() => {
            decimal(p - *s as u8, digits(other), *s)?
        }
        (mine, theirs) if mine.is_integer() && theirs.is_integer() => integer(mine, theirs)?,
        (mine, theirs) if is_number(mine) && is_number(theirs) => Float64,
        (mine, theirs) if is_text(mine) && is_text(theirs) => Utf8View,
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Timestamp(unit, zone), Timestamp(other, same)) if zone == same => {
            Timestamp(finer(*unit, *other), zone.clone())
        }
        _ => return None,
    })
}

fn decimal(whole: u8, other: u8, scale: i8) -> Option<DataType> {
    let precision = whole.max(other) + scale as u8;
    (precision <= MAX_PRECISION).then_some(DataType::Decimal128(precision, scale))
}

fn integer(mine: &DataType, theirs: &DataType) -> Option<DataType> {
    use DataType::{Int64, UInt64};
    let wider = if width(mine) < width(theirs) {
        theirs
    } else {
        mine
    };
    if mine.is_signed_integer() == theirs.is_signed_integer() {
        Some(wider.clone())
    } else if *mine == UInt64 || *theirs == UInt64 {
        decimal(digits(mine), digits(theirs), 0)
    } else {
        Some(Int64)
    }
}

fn width(data_type: &DataType) -> usize {
    data_type.primitive_width().unwrap_or(0)
}

/// The most digits of an integer type.
fn digits(data_type: &DataType) -> u8 {
    match (width(data_type), data_type) {
        (1, _) => 3,
        (2, _) => 5,
        (4, _) => 10,
        (_, DataType::UInt64) => 20,
        _ => 19,
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(data_type, DataType::Decimal128(_, scale) if *scale >= 0)
}

fn is_text(data_type: &DataType) -> bool {
    use DataType::{LargeUtf8, Utf8, Utf8View};
    matches!(data_type, Utf8 | LargeUtf8 | Utf8View)
}

fn finer(mine: TimeUnit, theirs: TimeUnit) -> TimeUnit {
    mine.max(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::{
        Date32, Decimal128, Float32, Float64, Int8, Int32, Int64, Timestamp, UInt32, UInt64, Utf8,
    };

    #[test]
    fn numbers_widen_and_nothing_else() {
        for (mine, theirs, expected) in [
            (Int32, Int64, Some(Int64)),
            (UInt32, Int8, Some(Int64)),
            (UInt64, Int8, Some(Decimal128(20, 0))),
            (Int64, Decimal128(18, 2), Some(Decimal128(21, 2))),
            (
                Decimal128(10, 2),
                Decimal128(12, 4),
                Some(Decimal128(12, 4)),
            ),
            (Decimal128(38, 2), Decimal128(38, 10), None),
            (Decimal128(10, 2), Float32, Some(Float64)),
            (Int32, Float32, Some(Float64)),
            (DataType::Null, Date32, Some(Date32)),
            (Date32, Timestamp(TimeUnit::Microsecond, None), None),
            (Utf8, Int64, None),
            (
                Timestamp(TimeUnit::Millisecond, None),
                Timestamp(TimeUnit::Nanosecond, None),
                Some(Timestamp(TimeUnit::Nanosecond, None)),
            ),
        ] {
            assert_eq!(widen(&mine, &theirs), expected, "{mine} {theirs}");
            assert_eq!(widen(&theirs, &mine), expected, "{theirs} {mine}");
        }
    }
}
