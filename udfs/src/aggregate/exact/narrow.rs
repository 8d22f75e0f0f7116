//! From the wide integers of a sum to the type of the result: what does not fit is an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, Float64Array, PrimitiveArray};
use arrow::compute::DecimalCast;
use arrow::datatypes::{
    DECIMAL256_MAX_PRECISION, DataType, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DecimalType, Int64Type, UInt64Type, i256,
};
use datafusion_common::{DataFusionError, Result, exec_datafusion_err, internal_err};

use super::Types;
use super::whole::Wide;
use crate::types::sql_name;

/// Sums in the type of the result.
pub(super) fn sums<S: Wide>(sums: &PrimitiveArray<S>, types: &Types) -> Result<ArrayRef> {
    match types.output {
        DataType::Int64 => narrowed::<S, Int64Type>(sums, "sum", types, |sum| sum.to_i64()),
        DataType::UInt64 => {
            narrowed::<S, UInt64Type>(sums, "sum", types, |sum| u64::try_from(sum.to_i128()?).ok())
        }
        _ => decimals(sums, "sum", types),
    }
}

/// Means in the type of the result; the sums are divided once.
pub(super) fn means<S: Wide>(
    sums: &PrimitiveArray<S>,
    counts: &[u64],
    types: &Types,
) -> Result<ArrayRef> {
    if types.output == DataType::Float64 {
        let mean =
            |(sum, count): (Option<S::Native>, &u64)| Some(sum?.to_i128()? as f64 / *count as f64);
        return Ok(Arc::new(
            sums.iter().zip(counts).map(mean).collect::<Float64Array>(),
        ));
    }
    let more_digits = scale(&types.output)? - scale(&types.input)?;
    let mut means = Vec::with_capacity(sums.len());
    for (sum, count) in sums.iter().zip(counts) {
        let mean = sum.map(|sum| {
            mean(sum, more_digits, *count)
                .ok_or_else(|| beyond("mean", &sum_text(sums, sum), types))
        });
        means.push(mean.transpose()?);
    }
    let exact = DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale(&types.output)?);
    let means = PrimitiveArray::<Decimal256Type>::from_iter(means).with_data_type(exact);
    decimals(&means, "mean", types)
}

/// A sum with more digits after the point, divided; cut off towards zero, as DataFusion does.
fn mean<N: DecimalCast + Copy>(sum: N, more_digits: i8, count: u64) -> Option<i256> {
    let digits = u32::try_from(more_digits).ok()?;
    // Division of 256 bits is slow, and seldom needed.
    let factor = 10_i128.checked_pow(digits)?;
    if let Some(sum) = sum.to_i128().and_then(|sum| sum.checked_mul(factor)) {
        return Some(i256::from_i128(sum.checked_div(i128::from(count))?));
    }
    let sum = sum.to_i256()?.checked_mul(i256::from_i128(factor))?;
    sum.checked_div(i256::from_i128(i128::from(count)))
}

fn scale(data_type: &DataType) -> Result<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Ok(*scale),
        other => internal_err!("{other} is no decimal"),
    }
}

fn decimals<S: Wide>(values: &PrimitiveArray<S>, what: &str, types: &Types) -> Result<ArrayRef> {
    fn fit<N: DecimalCast, D: DecimalType>(digits: u8) -> impl Fn(N) -> Option<D::Native>
    where
        D::Native: DecimalCast,
    {
        move |value| {
            D::Native::from_decimal(value).filter(|it| D::is_valid_decimal_precision(*it, digits))
        }
    }
    match types.output {
        DataType::Decimal32(p, _) => {
            narrowed::<S, Decimal32Type>(values, what, types, fit::<_, Decimal32Type>(p))
        }
        DataType::Decimal64(p, _) => {
            narrowed::<S, Decimal64Type>(values, what, types, fit::<_, Decimal64Type>(p))
        }
        DataType::Decimal128(p, _) => {
            narrowed::<S, Decimal128Type>(values, what, types, fit::<_, Decimal128Type>(p))
        }
        DataType::Decimal256(p, _) => {
            narrowed::<S, Decimal256Type>(values, what, types, fit::<_, Decimal256Type>(p))
        }
        ref other => internal_err!("no sum of whole numbers is {other}"),
    }
}

fn narrowed<S, D>(
    values: &PrimitiveArray<S>,
    what: &str,
    types: &Types,
    narrow: impl Fn(S::Native) -> Option<D::Native>,
) -> Result<ArrayRef>
where
    S: DecimalType,
    D: ArrowPrimitiveType,
{
    let array = values.try_unary::<_, D, DataFusionError>(|value| {
        narrow(value).ok_or_else(|| beyond(what, &sum_text(values, value), types))
    })?;
    Ok(Arc::new(array.with_data_type(types.output.clone())))
}

/// A value in decimal notation.
fn sum_text<S: DecimalType>(values: &PrimitiveArray<S>, value: S::Native) -> String {
    let scale = scale(values.data_type()).unwrap_or(0);
    S::format_decimal(value, S::MAX_PRECISION, scale)
}

fn beyond(what: &str, value: &str, types: &Types) -> DataFusionError {
    let function = if what == "sum" { "sum" } else { "avg" };
    exec_datafusion_err!(
        "the {what} {value} goes beyond the range of {}; write {function}(CAST(… AS {}))",
        sql_name(&types.output),
        wider(types)
    )
}

/// For a sum that goes beyond the integers it is computed in.
pub(super) fn beyond_all(types: &Types) -> DataFusionError {
    exec_datafusion_err!(
        "a sum of {} goes beyond the range of the widest DECIMAL; write CAST(… AS DOUBLE) inside",
        sql_name(&types.input)
    )
}

/// The type to cast the values to, for their sum to fit.
fn wider(types: &Types) -> String {
    match &types.output {
        DataType::Int64 | DataType::UInt64 => "DECIMAL(38, 0)".to_owned(),
        DataType::Decimal256(..) => "DOUBLE".to_owned(),
        _ => {
            let digits = match types.input {
                DataType::Decimal32(..) | DataType::Decimal64(..) => 38,
                _ => 76,
            };
            format!("DECIMAL({digits}, {})", scale(&types.input).unwrap_or(0))
        }
    }
}
