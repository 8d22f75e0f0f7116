//! Relations about what the store holds.

use std::sync::Arc;

use datafusion::arrow::array::{
    BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::functions_aggregate::min_max::min_udaf;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, TableSource, WindowFunctionDefinition,
    cast, lit,
};
use datafusion::prelude::{col, ident};

use super::{batch, text};
use crate::catalog::SnapshotTable;
use crate::catalog::binder::as_source;
use crate::catalog::inputs::World;
use crate::catalog::members_function::scan_name;
use crate::catalog::table_functions::stacked;
use crate::error::Result;
use crate::store::SnapshotRecord;

fn date(date: chrono::NaiveDate) -> i32 {
    date.signed_duration_since(chrono::NaiveDate::default())
        .num_days() as i32
}

pub(super) async fn runs(world: World<'_>) -> Result<RecordBatch> {
    let runs = world.store.runs().await?;
    let rows: Vec<_> = runs
        .iter()
        .flat_map(|run| run.nodes.iter().map(move |node| (run, node)))
        .collect();
    let started = rows
        .iter()
        .map(|(run, _)| Some(run.started.timestamp_micros()));
    batch(vec![
        (
            "run",
            text(rows.iter().map(|(run, _)| Some(run.run.clone()))),
        ),
        (
            "as_of",
            Arc::new(
                rows.iter()
                    .map(|(run, _)| Some(date(run.as_of)))
                    .collect::<Date32Array>(),
            ),
        ),
        (
            "started",
            Arc::new(
                started
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        (
            "name",
            text(rows.iter().map(|(_, node)| Some(node.name.clone()))),
        ),
        (
            "kind",
            text(rows.iter().map(|(_, node)| Some(node.kind.clone()))),
        ),
        (
            "status",
            text(
                rows.iter()
                    .map(|(_, node)| Some(node.status.word().to_owned())),
            ),
        ),
        (
            "reason",
            text(rows.iter().map(|(_, node)| node.reason.clone())),
        ),
        (
            "rows",
            Arc::new(
                rows.iter()
                    .map(|(_, node)| node.rows.map(|rows| rows as i64))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "seconds",
            Arc::new(
                rows.iter()
                    .map(|(_, node)| Some(node.seconds))
                    .collect::<Float64Array>(),
            ),
        ),
    ])
}

pub(super) async fn snapshots(world: World<'_>) -> Result<RecordBatch> {
    let all = world.store.snapshots().await?;
    let started = all.iter().map(|it| Some(it.started.timestamp_micros()));
    let file = |it: &SnapshotRecord| world.store.members_path(&it.segment, it.as_of).ok();
    batch(vec![
        (
            "segment",
            text(all.iter().map(|it| Some(it.segment.clone()))),
        ),
        ("kind", text(all.iter().map(|it| Some(it.kind.clone())))),
        (
            "as_of",
            Arc::new(
                all.iter()
                    .map(|it| Some(date(it.as_of)))
                    .collect::<Date32Array>(),
            ),
        ),
        (
            "size",
            Arc::new(
                all.iter()
                    .map(|it| Some(it.rows as i64))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "provisional",
            Arc::new(
                all.iter()
                    .map(|it| Some(it.provisional))
                    .collect::<BooleanArray>(),
            ),
        ),
        (
            "point_in_time",
            Arc::new(
                all.iter()
                    .map(|it| Some(it.is_point_in_time()))
                    .collect::<BooleanArray>(),
            ),
        ),
        ("reason", text(all.iter().map(why_not_point_in_time))),
        (
            "nondeterministic",
            Arc::new(
                all.iter()
                    .map(|it| Some(!it.nondeterministic.is_empty()))
                    .collect::<BooleanArray>(),
            ),
        ),
        ("id", text(all.iter().map(|it| Some(it.id.clone())))),
        ("file", text(all.iter().map(file))),
        (
            "started",
            Arc::new(
                started
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        (
            "seconds",
            Arc::new(
                all.iter()
                    .map(|it| Some(it.seconds))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "version",
            text(all.iter().map(|it| Some(it.version.clone()))),
        ),
    ])
}

/// Why a snapshot may not be what was known at its date.
fn why_not_point_in_time(record: &SnapshotRecord) -> Option<String> {
    let timeless = &record.timeless;
    (!timeless.is_empty()).then(|| format!("timeless: {}", timeless.join(", ")))
}

/// `segql.members`: every member of every snapshot, the key as text.
pub(super) async fn members(world: World<'_>) -> Result<Arc<dyn TableSource>> {
    let records = world.store.snapshots().await?;
    let mut all = vec![];
    let mut previous: Option<&str> = None;
    let mut number = 0_i64;
    for record in &records {
        number = if previous == Some(&record.segment) {
            number + 1
        } else {
            1
        };
        previous = Some(&record.segment);
        all.push(snapshot_rows(world, record, number)?);
    }
    let rows = match all.is_empty() {
        true => no_members()?,
        false => stacked(all)?,
    };
    Ok(as_source(with_entry_date(rows)?, None))
}

/// The rows of one snapshot, with its number among those of its segment.
fn snapshot_rows(world: World<'_>, record: &SnapshotRecord, number: i64) -> Result<LogicalPlan> {
    let table = SnapshotTable::of(world.store, record)?;
    let label = match &record.label {
        Some(column) => cast(ident(column.as_str()), DataType::Utf8),
        None => lit(datafusion::common::ScalarValue::Utf8(None)),
    };
    let as_of = datafusion::common::ScalarValue::Date32(Some(date(record.as_of)));
    let columns = [
        lit(record.segment.as_str()).alias("segment"),
        label.alias("label"),
        lit(as_of).alias("as_of"),
        cast(ident(record.key.as_str()), DataType::Utf8).alias("key"),
        lit(number).alias("number"),
    ];
    let source = provider_as_source(Arc::new(table));
    Ok(
        LogicalPlanBuilder::scan(TableReference::bare(scan_name(record)), source, None)?
            .project(columns)?
            .build()?,
    )
}

fn no_members() -> Result<LogicalPlan> {
    let none = |name: &str, data_type: DataType| {
        datafusion::common::ScalarValue::try_from(&data_type).map(|null| lit(null).alias(name))
    };
    Ok(LogicalPlanBuilder::empty(false)
        .project([
            none("segment", DataType::Utf8)?,
            none("label", DataType::Utf8)?,
            none("as_of", DataType::Date32)?,
            none("key", DataType::Utf8)?,
            none("number", DataType::Int64)?,
        ])?
        .build()?)
}

/// `entered_on`: the first of the snapshots without a gap up to this one that
/// the key is in under the same label (gaps and islands: the snapshot's number
/// less the member's own count stays the same within an unbroken row).
fn with_entry_date(rows: LogicalPlan) -> Result<LogicalPlan> {
    let member = || vec![col("segment"), col("label"), col("key")];
    let count = row_number()
        .partition_by(member())
        .order_by(vec![col("as_of").sort(true, true)])
        .build()?;
    let plan = LogicalPlanBuilder::from(rows)
        .window([count.alias("count")])?
        .project([
            col("segment"),
            col("label"),
            col("as_of"),
            col("key"),
            (col("number") - cast(col("count"), DataType::Int64)).alias("island"),
        ])?;
    let mut unbroken = member();
    unbroken.push(col("island"));
    let earliest = WindowFunctionDefinition::AggregateUDF(min_udaf());
    let entered = Expr::from(WindowFunction::new(earliest, vec![col("as_of")]))
        .partition_by(unbroken)
        .build()?;
    Ok(plan
        .window([entered.alias("entered_on")])?
        .project([
            col("segment"),
            col("label"),
            col("as_of"),
            col("key"),
            col("entered_on"),
        ])?
        .build()?)
}
