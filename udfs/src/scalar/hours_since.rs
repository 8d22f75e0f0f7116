//! `hours_since(x [, ref [, time_zone]])`: elapsed hours between two instants.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion_macros::user_doc;

use crate::arguments::Call;
use crate::clock::{Clock, ClockSource};
use crate::columns::{answer, rows};
use crate::times::{check_times, coerce_times, map_instants, zone_argument};

const CALL: Call = Call {
    name: "hours_since",
    usage: "hours_since(x [, ref [, time_zone]])",
};
const HOUR_NANOS: f64 = 3.6e12;

#[user_doc(
    doc_section(label = "Time and Date Functions"),
    description = "Hours, with their fraction, that pass from the instant `x` to the as-of instant, \
        or to `ref`; negative where `x` is later, NULL for NULL. Dates and timestamps without a \
        time zone are local wall clock in the session's zone, or in `time_zone`: a time that the \
        clocks skip is shifted forward, of a time that happens twice the earlier is taken. \
        Anything but a date or a timestamp is an error.",
    syntax_example = "hours_since(x [, ref [, time_zone]])",
    sql_example = r#"```sql
> SELECT hours_since(TIMESTAMP '2026-01-31 06:00:00', TIMESTAMP '2026-01-31 07:30:00') AS same_day,
         hours_since(DATE '2026-03-29', DATE '2026-03-30', 'Europe/Warsaw') AS short_day;
+----------+-----------+
| same_day | short_day |
+----------+-----------+
| 1.5      | 23.0      |
+----------+-----------+
```"#,
    argument(
        name = "x",
        description = "Date or timestamp, of any unit, with or without zone."
    ),
    argument(
        name = "ref",
        description = "Date or timestamp to count to; default `as_of_ts()`."
    ),
    argument(
        name = "time_zone",
        description = "Constant IANA name, such as 'Europe/Warsaw'."
    ),
    related_udf(name = "days_since"),
    related_udf(name = "as_of_ts")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HoursSince {
    signature: Signature,
    source: ClockSource,
}

impl HoursSince {
    pub(super) fn new(source: ClockSource) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Stable),
            source,
        }
    }

    /// What is counted to: the instant in nanoseconds where it is the same for every row.
    fn until(&self, args: &ScalarFunctionArgs, zone: Tz) -> Result<Until> {
        let value = match args.args.get(1) {
            Some(ColumnarValue::Array(array)) => return Ok(Until::Each(Arc::clone(array))),
            Some(ColumnarValue::Scalar(value)) => value.to_array()?,
            None => {
                let clock = self.source.when_run(CALL.name, &args.config_options)?;
                instant(&clock).to_array()?
            }
        };
        let nanos = map_instants(&value, zone, |nanos| nanos)?;
        Ok(Until::One(value.is_valid(0).then(|| nanos[0])))
    }
}

fn instant(clock: &Clock) -> ScalarValue {
    ScalarValue::TimestampNanosecond(Some(clock.instant_nanos()), Some(clock.shared_time_zone()))
}

/// What is counted to.
enum Until {
    One(Option<i128>),
    Each(ArrayRef),
}

fn hours(x: &ArrayRef, until: Until, zone: Tz) -> Result<Float64Array> {
    match until {
        Until::One(None) => Ok(Float64Array::new_null(x.len())),
        Until::One(Some(to)) => {
            let hours = map_instants(x, zone, |from| hours_of(to - from))?;
            Ok(Float64Array::new(hours.into(), x.nulls().cloned()))
        }
        Until::Each(until) => {
            let from = map_instants(x, zone, |nanos| nanos)?;
            let to = map_instants(&until, zone, |nanos| nanos)?;
            let hours = from.iter().zip(&to).map(|(from, to)| hours_of(to - from));
            let nulls = NullBuffer::union(x.nulls(), until.nulls());
            Ok(Float64Array::new(hours.collect(), nulls))
        }
    }
}

/// Spans of less than 292 years are converted by one instruction, and round alike.
fn hours_of(nanos: i128) -> f64 {
    let nanos = i64::try_from(nanos).map_or_else(|_| nanos as f64, |nanos| nanos as f64);
    nanos / HOUR_NANOS
}

impl ScalarUDFImpl for HoursSince {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerce_times(types))
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_times(&CALL, &args)?;
        Ok(Field::new(CALL.name, DataType::Float64, true).into())
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if args.len() == 1 {
            let Some(clock) = self.source.when_planned(info)? else {
                return Ok(ExprSimplifyResult::Original(args));
            };
            args.push(Expr::Literal(instant(&clock), None));
        }
        if args.len() != 2 {
            return Ok(ExprSimplifyResult::Original(args));
        }
        args.push(lit(&*self.source.time_zone(info.config_options())));
        let stateless = Arc::new(ScalarUDF::from(Self::new(ClockSource::Session)));
        let call = ScalarFunction::new_udf(stateless, args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = zone_argument(&CALL, &args.args, &self.source, &args.config_options)?;
        let until = self.until(&args, zone)?;
        let x = args.args[0].to_array(rows(&args.args, args.number_rows))?;
        let hours = hours(&x, until, zone)?;
        answer(&args.args, Arc::new(hours))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::*;
    use arrow::datatypes::TimeUnit;
    use datafusion_expr::col;

    use super::*;
    use crate::testing::{self, doubles};

    fn at(as_of: &str, zone: &str) -> ScalarUDF {
        HoursSince::new(ClockSource::Bound(Clock::parse(as_of, zone).unwrap())).into()
    }

    fn between(x: ScalarValue, to: ScalarValue, zone: &str) -> Option<f64> {
        let udf = HoursSince::new(ClockSource::Session).into();
        let args = [x, to, ScalarValue::from(zone)].map(ColumnarValue::Scalar);
        doubles(&testing::call(&udf, args.to_vec(), 1).unwrap())[0]
    }

    fn wall(text: &str) -> ScalarValue {
        let at = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        ScalarValue::TimestampSecond(Some(at.and_utc().timestamp()), None)
    }

    #[test]
    fn every_unit_and_the_inclusive_end() {
        // As of 2024-01-01 12:00 UTC, from 06:30.
        let udf = at("2024-01-01T12:00:00Z", "UTC");
        for (unit, factor) in [
            (TimeUnit::Second, 1),
            (TimeUnit::Millisecond, 1_000),
            (TimeUnit::Microsecond, 1_000_000),
            (TimeUnit::Nanosecond, 1_000_000_000),
        ] {
            let raw = Int64Array::from(vec![Some(1_704_090_600 * factor), None]);
            for zone in [None, Some("Europe/Sofia")] {
                let unit = DataType::Timestamp(unit, zone.map(Into::into));
                let x = arrow::compute::cast(&raw, &unit).unwrap();
                let hours = testing::call(&udf, vec![ColumnarValue::Array(x)], 2).unwrap();
                assert_eq!(doubles(&hours), [Some(5.5), None]);
            }
        }
    }

    #[test]
    fn hours_pass_by_the_clock_of_the_zone() {
        let day = |days| ScalarValue::Date32(Some(days));
        // 2024-03-31 has 23 hours, 2024-10-27 has 25, in both zones; UTC knows neither.
        for zone in ["Europe/Warsaw", "Europe/Sofia"] {
            assert_eq!(between(day(19_813), day(19_814), zone), Some(23.0));
            assert_eq!(between(day(20_023), day(20_024), zone), Some(25.0));
        }
        assert_eq!(between(day(19_813), day(19_814), "UTC"), Some(24.0));
        assert_eq!(
            between(
                ScalarValue::Date64(Some(19_813 * 86_400_000)),
                day(19_814),
                "UTC"
            ),
            Some(24.0)
        );
    }

    #[test]
    fn skipped_times_shift_and_double_times_take_the_earlier() {
        let from_midnight = |day: &str, time: &str| {
            between(
                wall(&format!("{day} 00:00")),
                wall(&format!("{day} {time}")),
                "Europe/Warsaw",
            )
        };
        assert_eq!(from_midnight("2024-03-31", "02:30"), Some(2.5));
        assert_eq!(from_midnight("2024-03-31", "03:30"), Some(2.5));
        assert_eq!(from_midnight("2024-10-27", "02:30"), Some(2.5));
        assert_eq!(from_midnight("2024-10-27", "03:00"), Some(4.0));
    }

    #[test]
    fn later_far_and_missing() {
        assert_eq!(
            between(wall("2024-01-01 02:00"), wall("2024-01-01 00:30"), "UTC"),
            Some(-1.5)
        );
        let (first, last) = (
            ScalarValue::TimestampSecond(Some(i64::MIN), None),
            ScalarValue::TimestampSecond(Some(i64::MAX), None),
        );
        assert_eq!(between(first, last, "UTC"), Some(2f64.powi(64) / 3600.0));
        assert_eq!(
            between(ScalarValue::Date32(None), wall("2024-01-01 00:00"), "UTC"),
            None
        );
        assert_eq!(
            between(wall("2024-01-01 00:00"), ScalarValue::Null, "UTC"),
            None
        );
    }

    #[test]
    fn columns_on_both_sides() {
        let udf = HoursSince::new(ClockSource::Session).into();
        let column = |values: Vec<Option<i64>>| {
            ColumnarValue::Array(Arc::new(TimestampSecondArray::from(values)) as ArrayRef)
        };
        let args = vec![
            column(vec![Some(0), None, Some(0)]),
            column(vec![Some(3600), Some(0), None]),
        ];
        assert_eq!(
            doubles(&testing::call(&udf, args, 3).unwrap()),
            [Some(1.0), None, None]
        );
    }

    #[test]
    fn the_plan_holds_literals_only() {
        let simplified =
            testing::simplify(&at("1970-01-01T00:00:01Z", "Europe/Sofia"), vec![col("x")]);
        let instant =
            ScalarValue::TimestampNanosecond(Some(1_000_000_000), Some("Europe/Sofia".into()));
        let unbound = ScalarUDF::from(HoursSince::new(ClockSource::Session));
        let args = vec![col("x"), Expr::Literal(instant, None), lit("Europe/Sofia")];
        assert_eq!(simplified, unbound.call(args));
    }

    #[test]
    fn text_is_refused() {
        let error = testing::plan_error(
            &at("2024-01-01", "UTC"),
            &[DataType::Date32, DataType::LargeUtf8],
        );
        assert!(
            error.ends_with("its second argument is TEXT; write hours_since(x, CAST(ref AS DATE))"),
            "{error}"
        );
    }
}
