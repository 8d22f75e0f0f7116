//! Sources whose rows, once seen, are seen at every later date: planned for a series
//! of dates at once.
//!
//! Where only `event_time` and `known_at` decide what is seen, the rows of a date are
//! those of the date before and some more. A plan over a stand-in for such a source
//! does not depend on the date, unless something else in it does; and every row can
//! say since which date of the series it is seen.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as PlanResult, ScalarValue, internal_err};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::functions::core::expr_fn::greatest;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TableSource, TableType, Volatility, cast, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::ident;

use super::binder::Binder;
use super::visibility::{self, limit, zone_of};
use super::{SharedTable, SharedTables};
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::source::{OpenSource, SourceOptions};
use crate::statement::Kind;

/// Stands for a source in plans; never read.
#[derive(Debug)]
struct GrowingTable {
    source: String,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for GrowingTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        internal_err!("a stand-in for source {} was read", self.source)
    }
}

/// The source that a table stands for.
pub fn growing_source(table: &Arc<dyn TableSource>) -> Option<String> {
    let provider = source_as_provider(table).ok()?;
    let stand_in = provider.downcast_ref::<GrowingTable>()?;
    Some(stand_in.source.clone())
}

fn grows(options: &SourceOptions) -> bool {
    let has_times = options.event_time.is_some() || options.known_at.is_some();
    has_times && options.history.is_none() && options.latest_by.is_none()
}

impl Binder<'_> {
    /// Stand-ins for all sources whose rows only become more, to plan over.
    pub fn growing_sources(&self) -> Result<SharedTables> {
        let mut stand_ins = SharedTables::new();
        for (name, opened) in &self.inputs.sources {
            let definition = self.world.catalog.find(name);
            let (Some(definition), Ok((_, options))) = (definition, opened) else {
                continue;
            };
            if definition.kind() == Kind::Source && grows(options) {
                let plan = self.definition(definition)?;
                let table = GrowingTable {
                    source: name.clone(),
                    schema: Arc::clone(plan.schema().inner()),
                };
                let shared = SharedTable {
                    table: provider_as_source(Arc::new(table)),
                    keys: self.row_keys(&plan),
                };
                stand_ins.insert(name.clone(), shared);
            }
        }
        Ok(stand_ins)
    }

    /// The rows of a source as they are seen at the moment of this binder.
    pub fn source_rows(&self, source: &str) -> Result<LogicalPlan> {
        match self.world.catalog.find(source) {
            Some(definition) => self.definition(definition),
            None => Err(Error::new(format!("there is no source {source}"))),
        }
    }

    /// The rows of a source as they are seen at the last of some moments, with a last
    /// column `since` that says from which of them on (0 is the first).
    pub fn seen_since(&self, source: &str, moments: &[Moment], since: &str) -> Result<LogicalPlan> {
        let (Some(Ok((opened, options))), Some(last)) =
            (self.inputs.sources.get(source), moments.last())
        else {
            return Err(Error::new(format!("source {source} was not opened")));
        };
        let plan = opened.plan(source, &[])?;
        let seen = visibility::as_of(plan, source, opened, options, last)?;
        let columns = seen.schema().columns().into_iter().map(Expr::Column);
        let since = first_seen(opened, options, moments)?.alias(since);
        let with_since = LogicalPlanBuilder::from(seen).project(columns.chain([since]))?;
        visibility::in_session_zone(with_since.build()?, last)
    }
}

/// Of each row the first of these moments at which it is seen; a row without a time
/// that is seen at all is seen at every date.
fn first_seen(source: &OpenSource, options: &SourceOptions, moments: &[Moment]) -> Result<Expr> {
    let of_column = |column: &String| -> Result<Expr> {
        let data_type = source.schema.field_with_name(column)?.data_type();
        let ends = moments.iter().map(|moment| {
            let zone = zone_of(options, moment)?;
            Ok(number(&limit(column, data_type, moment, zone)?))
        });
        let function = ScalarUDF::from(FirstOf {
            ends: ends.collect::<Result<_>>()?,
            signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable),
        });
        Ok(function.call(vec![cast(ident(column.as_str()), DataType::Int64)]))
    };
    let times = [&options.event_time, &options.known_at];
    let firsts = times.into_iter().flatten().map(of_column);
    let firsts: Vec<Expr> = firsts.collect::<Result<_>>()?;
    Ok(match firsts.len() {
        0 => lit(0_u32),
        1 => firsts[0].clone(),
        _ => greatest(firsts),
    })
}

/// A time as the number that stands for it in its column.
fn number(time: &ScalarValue) -> i64 {
    let number = match time {
        ScalarValue::Date32(days) => days.map(i64::from),
        ScalarValue::Date64(number)
        | ScalarValue::TimestampSecond(number, _)
        | ScalarValue::TimestampMillisecond(number, _)
        | ScalarValue::TimestampMicrosecond(number, _)
        | ScalarValue::TimestampNanosecond(number, _) => *number,
        _ => None,
    };
    number.unwrap_or(i64::MAX)
}

/// `first_of(time)`: the place of the first of some ends, in rising order, that is not
/// before a time; 0 for NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FirstOf {
    ends: Vec<i64>,
    signature: Signature,
}

impl ScalarUDFImpl for FirstOf {
    fn name(&self) -> &str {
        "first_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::UInt32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let times = args.args[0].to_array(args.number_rows)?;
        let times = times.as_primitive::<Int64Type>();
        let first = |time: Option<i64>| {
            time.map_or(0, |time| {
                self.ends.partition_point(|end| *end < time) as u32
            })
        };
        let firsts: UInt32Array = match times.null_count() == 0 {
            true => times.unary(|time| first(Some(time))),
            false => times.iter().map(|time| Some(first(time))).collect(),
        };
        Ok(ColumnarValue::Array(Arc::new(firsts)))
    }
}
