//! `bucket(key, salt, n)`: a stable pseudo-random split into n parts.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Call, known};
use crate::columns::{answer, rows};
use crate::keys::{check_split, coerce_split, hashes};

const CALL: Call = Call {
    name: "bucket",
    usage: "bucket(key, salt, n)",
};
const PARTS: std::ops::RangeInclusive<i64> = 1..=i64::MAX;

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "A stable pseudo-random number from 0 to `n - 1` for a key, to split people \
        evenly: SHA-256 of the text `salt:key`, its first 15 hexadecimal digits modulo `n`, so \
        that any warehouse can reproduce it. Another salt makes an independent split. The key is \
        written as canonical text: 17 and '17' agree, dates as 2026-01-31, UUIDs hyphenated in \
        lower case. NULL for a NULL key; DOUBLE and other keys without one way to write them are \
        an error.",
    syntax_example = "bucket(key, salt, n)",
    sql_example = r#"```sql
> SELECT key, bucket(key, 'spring', 10) AS bucket
  FROM (VALUES (1), (2), (3), (4)) AS t(key)
  ORDER BY key;
+-----+--------+
| key | bucket |
+-----+--------+
| 1   | 5      |
| 2   | 7      |
| 3   | 2      |
| 4   | 0      |
+-----+--------+
```"#,
    argument(name = "key", description = "Text, whole number, date or UUID."),
    argument(name = "salt", description = "Constant text that names the split."),
    argument(name = "n", description = "Constant whole number of parts, 1 or more."),
    related_udf(name = "holdout")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    signature: Signature,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Bucket {
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
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_split(&CALL, &args, "n")?;
        if let Some(parts) = known(&args, 2) {
            CALL.whole_number("n", parts, PARTS)?;
        }
        Ok(Field::new(CALL.name, DataType::Int64, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let salt = CALL.text("the salt", CALL.constant("the salt", &args.args[1])?)?;
        let parts = CALL.whole_number("n", CALL.constant("n", &args.args[2])?, PARTS)?;
        let keys = args.args[0].to_array(rows(&args.args, args.number_rows))?;
        // A hash has 60 bits, so it is a BIGINT as it is.
        let part = |hash: u64| hash as i64 % parts;
        let buckets: Int64Array = hashes(&keys, salt)?.unary::<_, Int64Type>(part);
        answer(&args.args, Arc::new(buckets))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, StringArray};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    use super::*;
    use crate::testing;

    fn call(key: ColumnarValue, salt: &str, n: impl Into<ScalarValue>) -> Result<Vec<Option<i64>>> {
        let rows = match &key {
            ColumnarValue::Array(keys) => keys.len(),
            ColumnarValue::Scalar(_) => 1,
        };
        let args = vec![
            key,
            ColumnarValue::Scalar(salt.into()),
            ColumnarValue::Scalar(n.into()),
        ];
        testing::call(&ScalarUDF::from(Bucket::default()), args, rows)
            .map(|array| testing::ints(&array))
    }

    fn key(value: impl Into<ScalarValue>) -> ColumnarValue {
        ColumnarValue::Scalar(value.into())
    }

    #[test]
    fn matches_hashlib() {
        // python3: int(hashlib.sha256(f"spring:{k}".encode()).hexdigest()[:15], 16) % 10
        let keys: ArrayRef = Arc::new(Int64Array::from_iter((1..=8).map(Some).chain([None])));
        let expected = [5, 7, 2, 0, 2, 0, 5, 7].map(Some);
        let buckets = call(ColumnarValue::Array(keys), "spring", 10i64).unwrap();
        assert_eq!(buckets[..8], expected);
        assert_eq!(buckets[8], None);
        assert_eq!(call(key(17i64), "spring", 100i32).unwrap(), [Some(37)]);
        assert_eq!(call(key("17"), "spring", 100u8).unwrap(), [Some(37)]);
        assert_eq!(call(key("żółw"), "spring", 100i64).unwrap(), [Some(28)]);
        assert_eq!(call(key("17"), "", 7i64).unwrap(), [Some(6)]);
        assert_eq!(call(key("17"), "spring", 1i64).unwrap(), [Some(0)]);
        assert_eq!(
            call(key(ScalarValue::Null), "spring", 10i64).unwrap(),
            [None]
        );
    }

    #[test]
    fn parts_are_even() {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        let mut counts = [0; 4];
        for bucket in call(ColumnarValue::Array(keys), "even", 4i64)
            .unwrap()
            .into_iter()
            .flatten()
        {
            counts[bucket as usize] += 1;
        }
        // Four standard deviations of a fair split are 173.
        assert!(
            counts.iter().all(|count: &i32| (count - 2500).abs() < 173),
            "{counts:?}"
        );
    }

    #[test]
    fn errors_say_what_to_write() {
        let planned = |types: &[DataType]| testing::plan_error(&Bucket::default().into(), types);
        let double = planned(&[DataType::Float64, DataType::Utf8, DataType::Int64]);
        assert!(double.ends_with(
            "bucket needs a key with one way to write it (text, a whole number, a date or a UUID), \
             but its first argument is DOUBLE; write bucket(CAST(key AS BIGINT), salt, n)"
        ), "{double}");
        let cents = planned(&[DataType::Decimal128(10, 2), DataType::Utf8, DataType::Int64]);
        assert!(cents.contains("is DECIMAL(10, 2)"), "{cents}");
        let time = planned(&[DataType::Boolean, DataType::Utf8, DataType::Int64]);
        assert!(
            time.ends_with("is BOOLEAN; write bucket(CAST(key AS TEXT), salt, n)"),
            "{time}"
        );
        assert!(
            planned(&[DataType::Int64, DataType::Utf8]).contains("takes 3 arguments, but got 2")
        );
        for parts in [0i64, -1] {
            let error = call(key("a"), "s", parts).unwrap_err().strip_backtrace();
            assert!(
                error.ends_with(&format!(
                    "bucket needs n as a whole number, 1 or more, but got {parts}"
                )),
                "{error}"
            );
        }
        let salts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        let args = vec![key("a"), ColumnarValue::Array(salts), key(1i64)];
        let error = testing::call(&Bucket::default().into(), args, 1)
            .unwrap_err()
            .to_string();
        assert!(error.contains("needs the salt as a constant"), "{error}");
    }
}
