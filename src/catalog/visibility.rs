//! Which rows of a source are seen as of a moment.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::{Column, Result as PlanResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, cast, lit,
};
use datafusion::prelude::ident;

use crate::error::{Error, Result};
use crate::session::{Moment, parse_zone};
use crate::source::{NullTime, OpenSource, SourceOptions};
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

/// Keeps the rows whose event time is not after the moment.
pub(super) fn as_of(
    plan: LogicalPlan,
    name: &str,
    source: &OpenSource,
    options: &SourceOptions,
    moment: &Moment,
) -> Result<LogicalPlan> {
    let Some(column) = options.event_time.as_deref() else {
        return Ok(plan);
    };
    let data_type = source.schema.field_with_name(column)?.data_type();
    let zone = match &options.time_zone {
        Some(name) => parse_zone(name)?,
        None => moment.zone(),
    };
    let limit = limit(column, data_type, moment, zone)?;
    let time = ident(column);
    let seen = time.clone().lt_eq(lit(limit));
    let missing = time.clone().is_null();
    let condition = match options.null_time {
        NullTime::Hide => seen,
        NullTime::Show => seen.or(missing),
        NullTime::Error => seen.or(missing
            .clone()
            .and(Timeless::call(missing, &format!("{name}.{column}")))),
    };
    Ok(LogicalPlanBuilder::from(plan).filter(condition)?.build()?)
}

/// The moment as a literal of the column's own type, so that files can be
/// pruned by their statistics and no cast stands in the way.
fn limit(column: &str, data_type: &DataType, moment: &Moment, zone: Tz) -> Result<ScalarValue> {
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
                "event_time '{column}' is {}, which says no time",
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

/// `timeless(is_missing, 'column')`: fails on the first row without a time.
/// A function, so that the rows are only looked at where they may occur.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Timeless {
    signature: Signature,
}

impl Timeless {
    fn call(missing: Expr, column: &str) -> Expr {
        let function = ScalarUDF::from(Self {
            signature: Signature::exact(
                vec![DataType::Boolean, DataType::Utf8],
                Volatility::Immutable,
            ),
        });
        function.call(vec![missing, lit(column)])
    }
}

impl ScalarUDFImpl for Timeless {
    fn name(&self) -> &str {
        "timeless"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let missing = args.args[0].to_array(args.number_rows)?;
        if as_boolean_array(&missing)?.true_count() == 0 {
            return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(false))));
        }
        let column = match &args.args[1] {
            ColumnarValue::Scalar(column) => format!("'{column}' "),
            ColumnarValue::Array(_) => String::new(),
        };
        Err(
            Error::new(format!("event time {column}is NULL in some rows"))
                .hint("WITH (null_time = 'show') sees them at every date, 'hide' never")
                .into(),
        )
    }
}
