//! Any numeric column as 64-bit floats.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, exec_err};

/// The values as DOUBLE, NULLs kept. NaN is an error, as it has no place in an order.
///
/// Whole numbers beyond 2^53 and decimals round to the nearest DOUBLE.
pub(crate) fn to_doubles(function: &str, values: &ArrayRef) -> Result<Float64Array> {
    let doubles = match values.data_type() {
        DataType::Float64 => values.as_primitive::<Float64Type>().clone(),
        _ => cast(values, &DataType::Float64)?
            .as_primitive::<Float64Type>()
            .clone(),
    };
    refuse_nan(function, &doubles)?;
    Ok(doubles)
}

fn refuse_nan(function: &str, doubles: &Float64Array) -> Result<()> {
    // The quick look over the raw buffer also sees what lies under a NULL, hence the second look.
    let has_nan = |chunk: &[f64]| chunk.iter().fold(false, |any, value| any | value.is_nan());
    if doubles.values().chunks(1024).any(has_nan) && doubles.iter().flatten().any(f64::is_nan) {
        return exec_err!(
            "{function} cannot place NaN (not a number) in an order; \
             leave such rows out with WHERE NOT isnan(…)"
        );
    }
    Ok(())
}

/// The values that are not NULL, with -0 as 0 so that the two can never order differently.
pub(crate) fn valid(doubles: &Float64Array) -> impl Iterator<Item = f64> + '_ {
    doubles.iter().flatten().map(|value| value + 0.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array, Float32Array, Int8Array,
        UInt64Array,
    };
    use arrow::buffer::NullBuffer;
    use arrow::datatypes::i256;

    use super::*;

    fn doubles(values: ArrayRef) -> Vec<Option<f64>> {
        to_doubles("f", &values).unwrap().iter().collect()
    }

    #[test]
    fn every_numeric_type() {
        let decimal = Decimal128Array::from(vec![Some(1999), None]).with_precision_and_scale(10, 2);
        assert_eq!(doubles(Arc::new(decimal.unwrap())), [Some(19.99), None]);
        let decimal = Decimal256Array::from(vec![i256::from(-5)]).with_precision_and_scale(40, 1);
        assert_eq!(doubles(Arc::new(decimal.unwrap())), [Some(-0.5)]);
        let decimal = Decimal32Array::from(vec![125]).with_precision_and_scale(5, 2);
        assert_eq!(doubles(Arc::new(decimal.unwrap())), [Some(1.25)]);
        let decimal = Decimal64Array::from(vec![125]).with_precision_and_scale(5, 2);
        assert_eq!(doubles(Arc::new(decimal.unwrap())), [Some(1.25)]);
        assert_eq!(
            doubles(Arc::new(Int8Array::from(vec![-128]))),
            [Some(-128.0)]
        );
        let most = doubles(Arc::new(UInt64Array::from(vec![u64::MAX])));
        assert_eq!(most, [Some(18_446_744_073_709_551_615.0)]);
        assert_eq!(
            doubles(Arc::new(Float32Array::from(vec![0.5]))),
            [Some(0.5)]
        );
        let single: ArrayRef = Arc::new(Float32Array::from(vec![1.5]));
        assert_eq!(
            doubles(cast(&single, &DataType::Float16).unwrap()),
            [Some(1.5)]
        );
    }

    #[test]
    fn nan_is_refused_but_not_under_a_null() {
        let nan: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN)]));
        let error = to_doubles("bin_of", &nan).unwrap_err().to_string();
        assert!(error.contains("bin_of cannot place NaN"), "{error}");
        let hidden = Float64Array::new(
            vec![1.0, f64::NAN].into(),
            Some(NullBuffer::from(vec![true, false])),
        );
        assert_eq!(doubles(Arc::new(hidden)), [Some(1.0), None]);
    }

    #[test]
    fn minus_zero_is_zero() {
        let values = Float64Array::from(vec![Some(-0.0), None, Some(2.0)]);
        let seen: Vec<u64> = valid(&values).map(f64::to_bits).collect();
        assert_eq!(seen, [0.0f64.to_bits(), 2.0f64.to_bits()]);
    }
}
