//! Which rows of a source are seen as of a moment.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::prelude::ident;

use super::refuse::Refuse;
use super::versions::{newest, one_version};
use crate::error::{Error, Result};
use crate::session::{Moment, parse_zone};
use crate::source::{InputFile, NullTime, OpenSource, SourceOptions, Until};
use crate::sql_type::sql_type_name;

/// Instants are shown in the session's zone, whatever zone a file gives them.
pub(super) fn in_session_zone(plan: LogicalPlan, moment: &Moment) -> Result<LogicalPlan> {
    let zone: Arc<str> = moment.zone().name().into();
    let foreign = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(other)) if *other != zone);
    if !plan
        .schema()
        .fields()
        .iter()
        .any(|field| foreign(field.data_type()))
    {
        return Ok(plan);
    }
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(relation, field)| {
            let column = Expr::Column(Column::new(relation.cloned(), field.name()));
            match field.data_type() {
                DataType::Timestamp(unit, _) if foreign(field.data_type()) => {
                    let shown = DataType::Timestamp(*unit, Some(Arc::clone(&zone)));
                    cast(column, shown).alias(field.name())
                }
                _ => column,
            }
        })
        .collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// Keeps the rows that were there, and known, at the moment.
pub(super) fn as_of(
    plan: LogicalPlan,
    name: &str,
    source: &OpenSource,
    options: &SourceOptions,
    moment: &Moment,
) -> Result<LogicalPlan> {
    let zone = zone_of(options, moment)?;
    let limit = |column: &str| -> Result<Expr> {
        let data_type = source.schema.field_with_name(column)?.data_type();
        Ok(lit(limit(column, data_type, moment, zone)?))
    };
    // A row without a time is an error, unless it is said what to do with it.
    let until = |column: &str| -> Result<Expr> {
        let time = ident(column);
        let seen = time.clone().lt_eq(limit(column)?);
        let missing = time.is_null();
        Ok(match options.null_time {
            NullTime::Hide => seen,
            NullTime::Show => seen.or(missing),
            NullTime::Error => {
                let place = format!("{name}.{column}");
                let message = format!("event time '{place}' is NULL in some rows");
                let hint = "WITH (null_time = 'show') sees them at every date, 'hide' never";
                seen.or(missing.clone().and(Refuse::call(missing, &message, hint)))
            }
        })
    };
    let mut conditions = vec![];
    for column in [&options.event_time, &options.known_at, &options.latest_by] {
        conditions.extend(column.as_deref().map(until).transpose()?);
    }
    if let Some((from, to)) = &options.history {
        let ended = ident(to.as_str());
        conditions.push(until(from)?);
        conditions.push(ended.clone().gt(limit(to)?).or(ended.is_null()));
    }
    let seen = match conditions.into_iter().reduce(Expr::and) {
        Some(condition) => LogicalPlanBuilder::from(plan).filter(condition)?.build()?,
        None => plan,
    };
    match (&options.latest_by, &options.history) {
        (Some(column), _) => newest(seen, name, column, &options.key),
        (None, Some((from, _))) => one_version(seen, name, from, &options.key),
        (None, None) => Ok(seen),
    }
}

/// The files of a source that may hold rows seen at the moment: a file of later
/// days changes nothing about earlier ones.
pub fn files_seen(
    source: &OpenSource,
    options: &SourceOptions,
    moment: &Moment,
) -> Result<Vec<InputFile>> {
    let zone = zone_of(options, moment)?;
    let until = |column| -> Result<Until<'_>> {
        let data_type = source.schema.field_with_name(column)?.data_type();
        let time = limit(column, data_type, moment, zone)?;
        Ok(Until { column, time })
    };
    let untils: Vec<_> = options.times().map(until).collect::<Result<_>>()?;
    Ok(source.files_until(&untils, moment.nanos()))
}

/// The zone in which a source's local times are told.
pub(super) fn zone_of(options: &SourceOptions, moment: &Moment) -> Result<Tz> {
    match &options.time_zone {
        Some(name) => parse_zone(name),
        None => Ok(moment.zone()),
    }
}

/// The moment as a literal of the column's own type, so that files can be
/// pruned by their statistics and no cast stands in the way.
pub(super) fn limit(
    column: &str,
    data_type: &DataType,
    moment: &Moment,
    zone: Tz,
) -> Result<ScalarValue> {
    let day = || {
        moment
            .date()
            .signed_duration_since(chrono::NaiveDate::default())
            .num_days()
    };
    let local = || {
        moment
            .local(zone)
            .and_utc()
            .timestamp_nanos_opt()
            .unwrap_or(i64::MAX)
    };
    Ok(match data_type {
        DataType::Date32 => ScalarValue::Date32(Some(day() as i32)),
        DataType::Date64 => ScalarValue::Date64(Some(day() * 86_400_000 + 86_399_999)),
        DataType::Timestamp(unit, None) => timestamp(unit, local(), None),
        DataType::Timestamp(unit, Some(zone)) => {
            timestamp(unit, moment.nanos(), Some(Arc::clone(zone)))
        }
        other => {
            return Err(Error::new(format!(
                "the time '{column}' is {}, which says no time",
                sql_type_name(other)
            ))
            .hint(format!(
                "give its type with WITH (columns = '{column} TIMESTAMP'), or make a view that casts it"
            )));
        }
    })
}

fn timestamp(unit: &TimeUnit, nanos: i64, zone: Option<Arc<str>>) -> ScalarValue {
    match unit {
        TimeUnit::Second => {
            ScalarValue::TimestampSecond(Some(nanos.div_euclid(1_000_000_000)), zone)
        }
        TimeUnit::Millisecond => {
            ScalarValue::TimestampMillisecond(Some(nanos.div_euclid(1_000_000)), zone)
        }
        TimeUnit::Microsecond => {
            ScalarValue::TimestampMicrosecond(Some(nanos.div_euclid(1_000)), zone)
        }
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(nanos), zone),
    }
}
