//! `as_of_ts()`: the instant everything is evaluated at.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::Call;
use crate::clock::{Clock, ClockSource, session_time_zone};

const CALL: Call = Call {
    name: "as_of_ts",
    usage: "as_of_ts()",
};

#[user_doc(
    doc_section(label = "Time and Date Functions"),
    description = "The instant that everything is evaluated at, inclusive, as a TIMESTAMP WITH \
        TIME ZONE in nanoseconds. For an as-of that is a date, the last nanosecond of that day in \
        the session's time zone. Never NULL.",
    syntax_example = "as_of_ts()",
    sql_example = r#"```sql
> SELECT date_trunc('second', as_of_ts()) AS evaluated_at;
+----------------------+
| evaluated_at         |
+----------------------+
| 2026-01-31T23:59:59Z |
+----------------------+
```"#,
    related_udf(name = "as_of"),
    related_udf(name = "hours_since")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct AsOfTs {
    signature: Signature,
    source: ClockSource,
    /// The zone of the type. The settings are not at hand where the type is asked for, so a
    /// change of settings makes a new function (`with_updated_config`).
    zone: Arc<str>,
}

impl AsOfTs {
    pub(super) fn new(source: ClockSource) -> Self {
        let zone = source.time_zone(&ConfigOptions::default());
        Self::in_zone(source, zone)
    }

    fn in_zone(source: ClockSource, zone: Arc<str>) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Stable),
            source,
            zone,
        }
    }

    fn instant(&self, clock: &Clock) -> ScalarValue {
        let zone = Some(Arc::clone(&self.zone));
        ScalarValue::TimestampNanosecond(Some(clock.instant_nanos()), zone)
    }

    fn data_type(&self) -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::clone(&self.zone)))
    }
}

impl ScalarUDFImpl for AsOfTs {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = match &self.source {
            ClockSource::Bound(_) => return None,
            ClockSource::Session => session_time_zone(config),
        };
        Some(Self::in_zone(self.source.clone(), zone).into())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 0..=0)?;
        Ok(self.data_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        CALL.check_count(args.arg_fields.len(), 0..=0)?;
        Ok(Field::new(CALL.name, self.data_type(), false).into())
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(match self.source.when_planned(info)? {
            Some(clock) => {
                ExprSimplifyResult::Simplified(Expr::Literal(self.instant(&clock), None))
            }
            None => ExprSimplifyResult::Original(args),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let clock = self.source.when_run(CALL.name, &args.config_options)?;
        Ok(ColumnarValue::Scalar(self.instant(&clock)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_bound_clock_becomes_a_literal_in_its_zone() {
        let clock = Clock::parse("2026-01-31", "Europe/Warsaw").unwrap();
        let udf = AsOfTs::new(ClockSource::Bound(clock)).into();
        let expected = ScalarValue::TimestampNanosecond(
            Some(1_769_900_399_999_999_999),
            Some("Europe/Warsaw".into()),
        );
        assert_eq!(
            testing::simplify(&udf, vec![]),
            Expr::Literal(expected.clone(), None)
        );
        let array = testing::call(&udf, vec![], 1).unwrap();
        assert_eq!(ScalarValue::try_from_array(&array, 0).unwrap(), expected);
        assert!(
            udf.inner()
                .with_updated_config(&ConfigOptions::default())
                .is_none()
        );
    }

    #[test]
    fn the_type_follows_the_settings() {
        let unbound = AsOfTs::new(ClockSource::Session);
        assert_eq!(
            unbound.return_type(&[]).unwrap().to_string(),
            "Timestamp(ns, \"UTC\")"
        );
        let mut config = ConfigOptions::default();
        config.execution.time_zone = Some("Europe/Sofia".to_owned());
        let updated = unbound.with_updated_config(&config).unwrap();
        let expected = DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Sofia".into()));
        assert_eq!(updated.inner().return_type(&[]).unwrap(), expected);
    }
}
