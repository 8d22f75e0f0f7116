//! `width_cuts(low, high, bins)`: cut points of equal width.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, exec_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Call, known, types};
use crate::columns::{answer, rows};
use crate::cuts::{list_array, list_type};
use crate::math::bins::equal_widths;
use crate::numeric::to_doubles;
use crate::types::{is_number, plain_or};

const CALL: Call = Call {
    name: "width_cuts",
    usage: "width_cuts(low, high, bins)",
};
const BINS: std::ops::RangeInclusive<i64> = 2..=1000;

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The `bins - 1` cut points that divide the range from `low` to `high` into bins \
        of equal width, as a LIST of DOUBLE in ascending order, for `bin_of`. NULL where `low` or \
        `high` is NULL. An error where `low` is greater than `high`, or one of them is infinite \
        or NaN.",
    syntax_example = "width_cuts(low, high, bins)",
    sql_example = r#"```sql
> SELECT width_cuts(0, 100, 4) AS quarters;
+--------------------+
| quarters           |
+--------------------+
| [25.0, 50.0, 75.0] |
+--------------------+
```"#,
    argument(name = "low", description = "Number: where the first bin begins."),
    argument(name = "high", description = "Number: where the last bin ends."),
    argument(name = "bins", description = "Constant whole number, 2 to 1000."),
    related_udf(name = "bin_of"),
    related_udf(name = "quantile_cuts")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WidthCuts {
    signature: Signature,
}

impl Default for WidthCuts {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn cuts(low: f64, high: f64, bins: usize) -> Result<Vec<f64>> {
    if low > high || low.is_infinite() || high.is_infinite() {
        return exec_err!(
            "width_cuts needs low and high as finite numbers with low not above high, but got \
             {low} and {high}"
        );
    }
    Ok(equal_widths(low, high, bins))
}

impl ScalarUDFImpl for WidthCuts {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types
            .iter()
            .map(|seen| plain_or(seen, DataType::Float64))
            .collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = types(&args);
        CALL.check_count(types.len(), 3..=3)?;
        for (position, seen) in types.iter().enumerate() {
            if !is_number(&plain_or(seen, DataType::Float64)) {
                let mend = format!("write {}", CALL.usage);
                return Err(CALL.wrong_type(position, "numbers", seen, &mend));
            }
        }
        if let Some(bins) = known(&args, 2) {
            CALL.whole_number("bins", bins, BINS)?;
        }
        Ok(Field::new(CALL.name, list_type(), true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bins = CALL.whole_number("bins", CALL.constant("bins", &args.args[2])?, BINS)?;
        let rows = rows(&args.args, args.number_rows);
        let low = to_doubles(CALL.name, &args.args[0].to_array(rows)?)?;
        let high = to_doubles(CALL.name, &args.args[1].to_array(rows)?)?;
        let mut lists = Vec::with_capacity(rows);
        for (low, high) in low.iter().zip(high.iter()) {
            let pair = low.zip(high);
            lists.push(
                pair.map(|(low, high)| cuts(low, high, bins as usize))
                    .transpose()?,
            );
        }
        answer(&args.args, Arc::new(list_array(lists)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Decimal128Array, Int32Array};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    use super::*;
    use crate::testing;

    fn constant(value: impl Into<ScalarValue>) -> ColumnarValue {
        ColumnarValue::Scalar(value.into())
    }

    fn call(args: Vec<ColumnarValue>, rows: usize) -> Result<Vec<Option<Vec<f64>>>> {
        let udf = ScalarUDF::from(WidthCuts::default());
        testing::call(&udf, args, rows).map(|lists| testing::lists(&lists))
    }

    #[test]
    fn constants_and_columns() {
        let bins = || constant(2i64);
        assert_eq!(
            call(vec![constant(0i64), constant(3.0), bins()], 1).unwrap(),
            [Some(vec![1.5])]
        );
        let low: ArrayRef = Arc::new(Int32Array::from(vec![Some(0), None, Some(-4)]));
        let high = Decimal128Array::from(vec![150, 150, -400])
            .with_precision_and_scale(5, 2)
            .unwrap();
        let args = vec![
            ColumnarValue::Array(low),
            ColumnarValue::Array(Arc::new(high)),
            bins(),
        ];
        assert_eq!(
            call(args, 3).unwrap(),
            [Some(vec![0.75]), None, Some(vec![-4.0])]
        );
        let null = constant(ScalarValue::Null);
        assert_eq!(
            call(vec![null, constant(1i64), bins()], 2).unwrap(),
            [None, None]
        );
    }

    #[test]
    fn errors() {
        let error = |low: f64, high: f64, bins: ScalarValue| {
            call(vec![constant(low), constant(high), constant(bins)], 1)
                .unwrap_err()
                .strip_backtrace()
        };
        assert!(error(2.0, 1.0, 2i64.into()).contains("but got 2 and 1"));
        assert!(error(0.0, f64::INFINITY, 2i64.into()).contains("finite"));
        assert!(error(f64::NAN, 1.0, 2i64.into()).contains("NaN"));
        for bins in [
            ScalarValue::from(1i64),
            1001i64.into(),
            2.5.into(),
            ScalarValue::Null,
            "a".into(),
        ] {
            let error = error(0.0, 1.0, bins);
            assert!(error.contains("width_cuts"), "{error}");
        }
        let planned =
            testing::plan_error(&WidthCuts::default().into(), &[const { DataType::Utf8 }; 3]);
        assert!(planned.ends_with("width_cuts needs numbers, but its first argument is TEXT; write width_cuts(low, high, bins)"), "{planned}");
    }
}
