//! `days_since(x [, ref [, time_zone]])`: whole calendar days.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::binary;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion_macros::user_doc;

use crate::arguments::Call;
use crate::clock::ClockSource;
use crate::columns::answer;
use crate::times::{check_times, coerce_times, map_days, zone_argument};

const CALL: Call = Call {
    name: "days_since",
    usage: "days_since(x [, ref [, time_zone]])",
};

#[user_doc(
    doc_section(label = "Time and Date Functions"),
    description = "Whole calendar days from the date of `x` to the as-of date, or to the date of \
        `ref`: 0 on the same day, negative where `x` is later, NULL for NULL. Timestamps with a \
        time zone fall on their day in the session's zone, or in `time_zone`; timestamps without \
        one are local wall clock; dates are taken as they are. Midnights are counted, not hours, \
        so a day of 23 hours is a day. Anything but a date or a timestamp is an error.",
    syntax_example = "days_since(x [, ref [, time_zone]])",
    sql_example = r#"```sql
> SELECT bought,
         days_since(bought) AS recency_days,
         days_since(bought, DATE '2026-03-01') AS by_march
  FROM (VALUES (DATE '2026-01-30'), (DATE '2026-02-02'), (NULL)) AS t(bought)
  ORDER BY bought;
+------------+--------------+----------+
| bought     | recency_days | by_march |
+------------+--------------+----------+
| 2026-01-30 | 1            | 30       |
| 2026-02-02 | -2           | 27       |
|            |              |          |
+------------+--------------+----------+
```"#,
    argument(
        name = "x",
        description = "Date or timestamp, of any unit, with or without zone."
    ),
    argument(
        name = "ref",
        description = "Date or timestamp to count to; default `as_of()`."
    ),
    argument(
        name = "time_zone",
        description = "Constant IANA name, such as 'Europe/Warsaw'."
    ),
    related_udf(name = "hours_since"),
    related_udf(name = "as_of")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DaysSince {
    signature: Signature,
    source: ClockSource,
}

impl DaysSince {
    pub(super) fn new(source: ClockSource) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Stable),
            source,
        }
    }

    /// The day counted to, where it is the same for every row.
    fn constant_day(&self, args: &ScalarFunctionArgs, zone: Tz) -> Result<Option<Int64Array>> {
        match args.args.get(1) {
            Some(ColumnarValue::Array(_)) => Ok(None),
            Some(ColumnarValue::Scalar(day)) => {
                map_days(&day.to_array()?, zone, |day| day).map(Some)
            }
            None => {
                let clock = self.source.when_run(CALL.name, &args.config_options)?;
                Ok(Some(Int64Array::from(vec![i64::from(clock.date())])))
            }
        }
    }
}

fn days(
    x: &ArrayRef,
    to: Option<Int64Array>,
    args: &ScalarFunctionArgs,
    zone: Tz,
) -> Result<Int64Array> {
    match (to, args.args.get(1)) {
        (Some(to), _) => match to.iter().next().flatten() {
            Some(to) => map_days(x, zone, |day| to - day),
            None => Ok(Int64Array::new_null(x.len())),
        },
        (None, Some(to)) => {
            let to = map_days(&to.to_array(x.len())?, zone, |day| day)?;
            Ok(binary(&map_days(x, zone, |day| day)?, &to, |x, to| to - x)?)
        }
        (None, None) => internal_err!("days_since has nothing to count to"),
    }
}

/// There is no `preimage`, although each day is one range of `x`: DataFusion's rewrite takes the
/// function to rise with its argument, and this one falls, so `<` would come out reversed.
impl ScalarUDFImpl for DaysSince {
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
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_times(&CALL, &args)?;
        Ok(Field::new(CALL.name, DataType::Int64, true).into())
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if args.len() == 1 {
            let Some(clock) = self.source.when_planned(info)? else {
                return Ok(ExprSimplifyResult::Original(args));
            };
            args.push(Expr::Literal(ScalarValue::Date32(Some(clock.date())), None));
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
        let to = self.constant_day(&args, zone)?;
        let rows = crate::columns::rows(&args.args, args.number_rows);
        let x = args.args[0].to_array(rows)?;
        let days = days(&x, to, &args, zone)?;
        answer(&args.args, Arc::new(days))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::*;
    use arrow::datatypes::{TimeUnit, TimestampSecondType};
    use datafusion_common::config::ConfigOptions;
    use datafusion_expr::col;

    use super::*;
    use crate::SegqlConfig;
    use crate::clock::Clock;
    use crate::testing::{self, ints};

    fn at(as_of: &str, zone: &str) -> ScalarUDF {
        DaysSince::new(ClockSource::Bound(Clock::parse(as_of, zone).unwrap())).into()
    }

    fn days(udf: &ScalarUDF, x: ArrayRef) -> Vec<Option<i64>> {
        let rows = x.len();
        ints(&testing::call(udf, vec![ColumnarValue::Array(x)], rows).unwrap())
    }

    /// 2024-03-30 23:30 UTC, which is 2024-03-31 00:30 in Warsaw, and the day before at that time.
    const LATE: i64 = 1_711_841_400;

    #[test]
    fn every_unit_with_and_without_zone() {
        let udf = at("2024-03-31", "Europe/Warsaw");
        for (unit, factor) in [
            (TimeUnit::Second, 1),
            (TimeUnit::Millisecond, 1_000),
            (TimeUnit::Microsecond, 1_000_000),
            (TimeUnit::Nanosecond, 1_000_000_000),
        ] {
            let raw = Int64Array::from(vec![
                Some(LATE * factor),
                None,
                Some((LATE - 86_400) * factor),
                Some(-1),
            ]);
            let cast = |zone: Option<&str>| {
                arrow::compute::cast(&raw, &DataType::Timestamp(unit, zone.map(Into::into)))
                    .unwrap()
            };
            // In the session's zone, whatever zone the column displays in.
            for zone in ["UTC", "Europe/Sofia", "America/New_York"] {
                assert_eq!(
                    days(&udf, cast(Some(zone)))[..3],
                    [Some(0), None, Some(1)],
                    "{zone}"
                );
            }
            // Without zone: local wall clock, 2024-03-30 23:30; a moment before 1970 is 1969.
            assert_eq!(
                days(&udf, cast(None)),
                [Some(1), None, Some(2), Some(19_814)]
            );
        }
    }

    #[test]
    fn dates_leap_days_and_later_days() {
        let udf = at("2024-03-01", "Europe/Sofia");
        let dates = Date32Array::from(vec![
            Some(19_782),
            Some(19_781),
            Some(19_800),
            None,
            Some(i32::MIN),
        ]);
        let expected = [
            Some(1),
            Some(2),
            Some(-17),
            None,
            Some(19_783 - i64::from(i32::MIN)),
        ];
        assert_eq!(days(&udf, Arc::new(dates)), expected);
        // Date64 counts milliseconds, also within a day.
        let dates = Date64Array::from(vec![19_782 * 86_400_000 + 5, -1]);
        assert_eq!(days(&udf, Arc::new(dates)), [Some(1), Some(19_784)]);
    }

    #[test]
    fn days_of_23_and_25_hours_are_days() {
        let udf: ScalarUDF = DaysSince::new(ClockSource::Session).into();
        let zoned = |seconds: i64| {
            let array = TimestampSecondArray::from(vec![seconds]).with_timezone("UTC");
            ColumnarValue::Array(Arc::new(array))
        };
        for (zone, from, to) in [
            // Local midnights 23 hours apart (2024-03-31), then 25 (2024-10-27).
            ("Europe/Warsaw", 1_711_839_600, 1_711_839_600 + 23 * 3600),
            ("Europe/Sofia", 1_711_836_000, 1_711_836_000 + 23 * 3600),
            ("Europe/Warsaw", 1_729_980_000, 1_729_980_000 + 25 * 3600),
        ] {
            let zone_name = || ColumnarValue::Scalar(ScalarValue::from(zone));
            let call = |to: i64| {
                ints(&testing::call(&udf, vec![zoned(from), zoned(to), zone_name()], 1).unwrap())
            };
            assert_eq!(call(to), [Some(1)], "{zone}");
            assert_eq!(call(to - 1), [Some(0)], "{zone}");
        }
    }

    #[test]
    fn constants_and_columns_agree() {
        let udf: ScalarUDF = DaysSince::new(ClockSource::Session).into();
        let x: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None, Some(5)]));
        let to: ArrayRef = Arc::new(Date32Array::from(vec![Some(5), Some(5), None]));
        let column = |array: &ArrayRef| ColumnarValue::Array(Arc::clone(array));
        let five = ColumnarValue::Scalar(ScalarValue::Date32(Some(5)));
        let none = ColumnarValue::Scalar(ScalarValue::Date32(None));
        let call = |x, to| ints(&testing::call(&udf, vec![x, to], 3).unwrap());
        assert_eq!(call(column(&x), column(&to)), [Some(4), None, None]);
        assert_eq!(call(column(&x), five.clone()), [Some(4), None, Some(0)]);
        assert_eq!(call(column(&x), none.clone()), [None; 3]);
        assert_eq!(call(five.clone(), column(&x)), [Some(-4), None, Some(0)]);
        assert_eq!(call(five.clone(), five), [Some(0); 3]);
        assert_eq!(call(none.clone(), none), [None; 3]);
    }

    #[test]
    fn the_plan_holds_literals_only() {
        let simplified = testing::simplify(&at("2024-02-29", "Europe/Warsaw"), vec![col("x")]);
        let unbound = ScalarUDF::from(DaysSince::new(ClockSource::Session));
        let date = Expr::Literal(ScalarValue::Date32(Some(19_782)), None);
        assert_eq!(
            simplified,
            unbound.call(vec![col("x"), date, lit("Europe/Warsaw")])
        );
        let with_ref = testing::simplify(&at("2024-02-29", "UTC"), vec![col("x"), col("y")]);
        assert_eq!(with_ref, unbound.call(vec![col("x"), col("y"), lit("UTC")]));
    }

    #[test]
    fn settings_are_followed_without_simplification() {
        let udf: ScalarUDF = DaysSince::new(ClockSource::Session).into();
        // 2024-03-30 23:30 UTC is the 31st in Warsaw.
        let instant = ScalarValue::TimestampSecond(Some(LATE), Some("UTC".into()));
        let call = |as_of: &str, zone: &str| {
            let mut config = ConfigOptions::default();
            config.extensions.insert(SegqlConfig::default());
            config.set("segql.as_of", as_of).unwrap();
            config.set("segql.time_zone", zone).unwrap();
            let x = ColumnarValue::Scalar(instant.clone());
            testing::call_with(&udf, vec![x], 1, config).map(|array| ints(&array))
        };
        assert_eq!(call("2024-04-02", "Europe/Warsaw").unwrap(), [Some(2)]);
        assert_eq!(call("2024-04-02", "").unwrap(), [Some(3)]);
        assert_eq!(
            call("2024-03-31T23:00:00Z", "Europe/Warsaw").unwrap(),
            [Some(1)]
        );
        let unset = call("", "Europe/Warsaw").unwrap_err().to_string();
        assert!(
            unset.contains("days_since takes its date from the start of the query"),
            "{unset}"
        );
        assert!(
            call("tomorrow", "")
                .unwrap_err()
                .to_string()
                .contains("'tomorrow'")
        );
    }

    #[test]
    fn a_null_without_type_is_null() {
        let null = ColumnarValue::Scalar(ScalarValue::Null);
        let array = testing::call(&at("2024-02-29", "UTC"), vec![null], 2).unwrap();
        assert_eq!(ints(&array), [None, None]);
    }

    #[test]
    fn errors_name_the_cast_to_write() {
        let udf = at("2024-02-29", "UTC");
        let error = |types: &[DataType]| testing::plan_error(&udf, types);
        assert_eq!(
            error(&[DataType::Utf8View]),
            "Error during planning: days_since needs a date or a timestamp, but its first argument \
             is TEXT; write days_since(CAST(x AS DATE))"
        );
        let whole = error(&[DataType::Date32, DataType::Int64]);
        assert!(whole.ends_with(
            "its second argument is BIGINT; for Unix seconds write days_since(x, to_timestamp_seconds(ref))"
        ), "{whole}");
        assert!(error(&[]).ends_with("days_since takes 1 to 3 arguments, but got 0; write days_since(x [, ref [, time_zone]])"));
        let date = || ColumnarValue::Scalar(ScalarValue::Date32(Some(1)));
        let zone = ColumnarValue::Scalar(ScalarValue::from("Europe/Warszawa"));
        let error = testing::call(&udf, vec![date(), date(), zone], 1)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unknown time zone 'Europe/Warszawa'"),
            "{error}"
        );
        let column: ArrayRef = Arc::new(StringArray::from(vec!["UTC"]));
        let varying = vec![date(), date(), ColumnarValue::Array(column)];
        let error = testing::call(&udf, varying, 1).unwrap_err().to_string();
        assert!(
            error.contains("needs the time zone as a constant"),
            "{error}"
        );
    }

    #[test]
    fn what_lies_under_a_null_is_never_looked_up() {
        let values = PrimitiveArray::<TimestampSecondType>::new(
            vec![i64::MAX, LATE].into(),
            Some(vec![false, true].into()),
        );
        let x = Arc::new(values.with_timezone("UTC"));
        assert_eq!(days(&at("2024-03-31", "Europe/Warsaw"), x), [None, Some(0)]);
    }
}
