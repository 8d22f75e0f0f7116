//! Instants written as local time, `TIMESTAMPTZ '2026-03-29 02:30'`.
//!
//! DataFusion 55 refuses times that clocks skipped or showed twice, and times
//! without seconds. As in PostgreSQL a skipped time is read by the offset before the
//! gap (02:30 becomes 03:30), and of two the later one is meant, standard time.

use chrono::{LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;

use super::expressions;

/// Reads local times that are written in a query.
#[derive(Debug)]
pub(super) struct LocalLiteral;

impl AnalyzerRule for LocalLiteral {
    fn name(&self) -> &str {
        "local_literal"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> PlanResult<LogicalPlan> {
        expressions::rewrite(plan, |expr, _| {
            let read = match &expr {
                Expr::Cast(cast) => read(&cast.expr, cast.field.data_type()),
                Expr::TryCast(cast) => read(&cast.expr, cast.field.data_type()),
                _ => None,
            };
            Ok(match read {
                Some(instant) => Transformed::yes(lit(instant)),
                None => Transformed::no(expr),
            })
        })
    }
}

/// The instant that a text stands for; `None` leaves it to DataFusion.
fn read(expr: &Expr, wanted: &DataType) -> Option<ScalarValue> {
    let DataType::Timestamp(_, Some(zone)) = wanted else {
        return None;
    };
    let Expr::Literal(text, _) = expr else {
        return None;
    };
    let local = local_time(text.try_as_str()??.trim())?;
    let nanos = instant(local, zone.parse().ok()?)?;
    let instant = ScalarValue::TimestampNanosecond(Some(nanos), Some(zone.clone()));
    instant.cast_to(wanted).ok()
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    const FORMATS: [&str; 4] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let times = FORMATS.iter();
    times
        .filter_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .next()
        .or_else(|| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            date.and_hms_opt(0, 0, 0)
        })
}

/// Nanoseconds since 1970 UTC.
fn instant(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    let utc = match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(_, instant) => instant.naive_utc(),
        LocalResult::None => {
            let day_before = local.checked_sub_signed(chrono::Duration::days(1))?;
            let offset = zone.offset_from_utc_datetime(&day_before).fix();
            local.checked_sub_offset(offset)?
        }
    };
    utc.and_utc().timestamp_nanos_opt()
}
