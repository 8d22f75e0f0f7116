//! `holdout(key, salt, fraction)`: a stable pseudo-random control group.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Call, known};
use crate::columns::{answer, rows};
use crate::keys::{check_split, coerce_split, hashes};
use crate::math::split::threshold;

const CALL: Call = Call {
    name: "holdout",
    usage: "holdout(key, salt, fraction)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "TRUE for the people to withhold from a campaign: a stable pseudo-random share \
        of all keys. TRUE where the first 15 hexadecimal digits of SHA-256 of `salt:key`, as a \
        number, are below `fraction` times 2^60; raising the fraction only adds people. Keys are \
        written as in `bucket`; the two are not independent under one salt. NULL for a NULL key; \
        a fraction outside 0 to 1 is an error.",
    syntax_example = "holdout(key, salt, fraction)",
    sql_example = r#"```sql
> SELECT key, holdout(key, 'control', 0.2) AS withheld
  FROM (VALUES (1), (2), (3), (4)) AS t(key)
  ORDER BY key;
+-----+----------+
| key | withheld |
+-----+----------+
| 1   | true     |
| 2   | true     |
| 3   | false    |
| 4   | false    |
+-----+----------+
```"#,
    argument(name = "key", description = "Text, whole number, date or UUID."),
    argument(name = "salt", description = "Constant text that names the split."),
    argument(
        name = "fraction",
        description = "Constant number, 0 (nobody) to 1 (everybody)."
    ),
    related_udf(name = "bucket")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Holdout {
    signature: Signature,
}

impl Default for Holdout {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn fraction(value: &ScalarValue) -> Result<f64> {
    match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(fraction))) if (0.0..=1.0).contains(&fraction) => Ok(fraction),
        _ => plan_err!("holdout needs a fraction from 0 to 1, but got {value}"),
    }
}

impl ScalarUDFImpl for Holdout {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerce_split(types))
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_split(&CALL, &args, "fraction")?;
        if let Some(value) = known(&args, 2) {
            fraction(value)?;
        }
        Ok(Field::new(CALL.name, DataType::Boolean, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let salt = CALL.text("the salt", CALL.constant("the salt", &args.args[1])?)?;
        let below = threshold(fraction(CALL.constant("the fraction", &args.args[2])?)?);
        let keys = args.args[0].to_array(rows(&args.args, args.number_rows))?;
        let withheld = BooleanArray::from_unary(&hashes(&keys, salt)?, |hash| hash < below);
        answer(&args.args, Arc::new(withheld))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use datafusion_expr::ScalarUDF;

    use super::*;
    use crate::testing;

    fn call(keys: ArrayRef, fraction: impl Into<ScalarValue>) -> Result<Vec<Option<bool>>> {
        let rows = keys.len();
        let salt = ColumnarValue::Scalar("control".into());
        let args = vec![
            ColumnarValue::Array(keys),
            salt,
            ColumnarValue::Scalar(fraction.into()),
        ];
        let array = testing::call(&ScalarUDF::from(Holdout::default()), args, rows)?;
        Ok(array.as_boolean().iter().collect())
    }

    fn keys(count: i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(1..=count))
    }

    #[test]
    fn matches_hashlib() {
        // python3: int(hashlib.sha256(f"control:{k}".encode()).hexdigest()[:15], 16) / 2**60 is
        // .052 .188 .846 .291 .447 .266 .993 .519 for k from 1 to 8.
        let expected = [true, true, false, false, false, false, false, false].map(Some);
        assert_eq!(call(keys(8), 0.2).unwrap(), expected);
        let expected = [true, true, false, true, true, true, false, false].map(Some);
        assert_eq!(call(keys(8), 0.5).unwrap(), expected);
        let decimal = ScalarValue::Decimal128(Some(50), 3, 2);
        assert_eq!(call(keys(8), decimal).unwrap(), expected);
    }

    #[test]
    fn nobody_everybody_and_null() {
        assert_eq!(call(keys(50), 0i64).unwrap(), [Some(false); 50]);
        assert_eq!(call(keys(50), 1i64).unwrap(), [Some(true); 50]);
        assert_eq!(
            call(Arc::new(Int64Array::from(vec![None])), 1i64).unwrap(),
            [None]
        );
    }

    #[test]
    fn a_larger_fraction_keeps_who_was_withheld() {
        let (tenth, fifth) = (
            call(keys(2000), 0.1).unwrap(),
            call(keys(2000), 0.2).unwrap(),
        );
        assert!(
            tenth
                .iter()
                .zip(&fifth)
                .all(|(tenth, fifth)| tenth <= fifth)
        );
        let count = tenth
            .iter()
            .filter(|withheld| **withheld == Some(true))
            .count();
        assert!((150..250).contains(&count), "{count}");
    }

    #[test]
    fn fractions_outside_are_refused() {
        for (fraction, text) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            let error = call(keys(1), fraction).unwrap_err().strip_backtrace();
            assert!(
                error.ends_with(&format!("needs a fraction from 0 to 1, but got {text}")),
                "{error}"
            );
        }
        let types = [DataType::Float32, DataType::Utf8, DataType::Float64];
        let error = testing::plan_error(&Holdout::default().into(), &types);
        assert!(
            error.ends_with("is FLOAT; write holdout(CAST(key AS BIGINT), salt, fraction)"),
            "{error}"
        );
    }
}
