//! `as_of()`: the date everything is evaluated at.

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::Call;
use crate::clock::{Clock, ClockSource};

const CALL: Call = Call {
    name: "as_of",
    usage: "as_of()",
};

#[user_doc(
    doc_section(label = "Time and Date Functions"),
    description = "The date that everything is evaluated at: what was known at the end of that \
        day. It is the date of `as_of_ts()` in the session's time zone. Without a clock of the \
        program, it comes from the setting `segql.as_of` (a date, or an RFC 3339 instant), else \
        from the start of the query. Never NULL.",
    syntax_example = "as_of()",
    sql_example = r#"```sql
> SELECT as_of() AS evaluated_at;
+--------------+
| evaluated_at |
+--------------+
| 2026-01-31   |
+--------------+
```"#,
    related_udf(name = "as_of_ts"),
    related_udf(name = "days_since")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct AsOf {
    signature: Signature,
    source: ClockSource,
}

impl AsOf {
    pub(super) fn new(source: ClockSource) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Stable),
            source,
        }
    }
}

fn date(clock: &Clock) -> ScalarValue {
    ScalarValue::Date32(Some(clock.date()))
}

impl ScalarUDFImpl for AsOf {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 0..=0)?;
        Ok(DataType::Date32)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        CALL.check_count(args.arg_fields.len(), 0..=0)?;
        Ok(Field::new(CALL.name, DataType::Date32, false).into())
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match self.source.when_planned(info)? {
            Some(clock) => ExprSimplifyResult::Simplified(Expr::Literal(date(&clock), None)),
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let clock = self.source.when_run(CALL.name, &args.config_options)?;
        Ok(ColumnarValue::Scalar(date(&clock)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use datafusion_expr::ScalarUDF;

    fn bound(as_of: &str, zone: &str) -> ScalarUDF {
        AsOf::new(ClockSource::Bound(Clock::parse(as_of, zone).unwrap())).into()
    }

    #[test]
    fn a_bound_clock_becomes_a_literal() {
        let udf = bound("2024-02-29", "Europe/Warsaw");
        let literal = testing::simplify(&udf, vec![]);
        assert_eq!(
            literal,
            Expr::Literal(ScalarValue::Date32(Some(19_782)), None)
        );
        let array = testing::call(&udf, vec![], 3).unwrap();
        assert_eq!(
            ScalarValue::try_from_array(&array, 0).unwrap(),
            ScalarValue::Date32(Some(19_782))
        );
    }

    #[test]
    fn another_clock_makes_another_function() {
        assert_eq!(bound("2024-02-29", "UTC"), bound("2024-02-29", "UTC"));
        assert_ne!(bound("2024-02-29", "UTC"), bound("2024-03-01", "UTC"));
        assert_ne!(
            bound("2024-02-29", "UTC"),
            bound("2024-02-29", "Europe/Sofia")
        );
        assert_ne!(
            bound("2024-02-29", "UTC"),
            AsOf::new(ClockSource::Session).into()
        );
    }

    #[test]
    fn arguments_are_refused_in_plain_words() {
        let error = testing::plan_error(&bound("2024-02-29", "UTC"), &[DataType::Utf8]);
        assert_eq!(
            error,
            "Error during planning: as_of takes no arguments, but got 1; write as_of()"
        );
    }
}
