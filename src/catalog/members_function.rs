//! `members('name' [, as_of])`: who was in a segment at a date.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableSource};
use datafusion::prelude::ident;

use super::binder::{Binder, as_source};
use super::members::{label, label_of};
use super::scope::Scope;
use super::snapshot_table::SnapshotTable;
use super::split_label;
use super::table_functions::moment_of;
use crate::error::{Error, Result};
use crate::statement::Kind;
use crate::store::SnapshotRecord;

/// `members('name' [, as_of])`: the snapshot of the date where there is one,
/// else the definition evaluated at it.
pub(super) fn function(scope: &Scope<'_, '_>, args: &[Expr]) -> Result<Arc<dyn TableSource>> {
    let binder = scope.binder;
    let usage = || {
        Error::new(
            "members takes the name of a segment in quotes and, if wanted, a date: members('vip', DATE '2026-01-31')",
        )
    };
    let (name, moment) = match args {
        [name] => (name, binder.evaluation.moment),
        [name, when] => (name, moment_of(when, &binder.evaluation.moment)?),
        _ => return Err(usage()),
    };
    let Expr::Literal(name, _) = name else {
        return Err(usage());
    };
    let Some(Some(name)) = name.try_as_str() else {
        return Err(usage());
    };
    scope.check_named("members", name)?;
    let kinds = [Kind::Segment, Kind::Segmentation];
    let definition = binder.world.catalog.get(name, &kinds)?;
    let (source, record) = binder.rows_at(definition, moment)?;
    let Some(wanted) = split_label(name).1 else {
        return Ok(source);
    };
    match record {
        Some(record) => label(definition, source, record.label.as_deref(), wanted),
        None => label_of(binder, definition, source, wanted),
    }
}

/// The rows of a snapshot's file.
pub(super) fn from_snapshot(
    binder: &Binder<'_>,
    record: &SnapshotRecord,
) -> Result<Arc<dyn TableSource>> {
    let table = SnapshotTable::of(binder.world.store, record)?;
    let columns = record
        .columns
        .iter()
        .map(|column| ident(column.name.as_str()));
    let source = provider_as_source(Arc::new(table));
    let plan = LogicalPlanBuilder::scan(TableReference::bare(scan_name(record)), source, None)?
        .project(columns)?
        .build()?;
    Ok(as_source(plan, None))
}

/// The optimiser takes scans of one name for the same, whatever they read: two
/// dates of a segment in one query need two names.
pub(super) fn scan_name(record: &SnapshotRecord) -> String {
    format!("{}@{}", record.segment, record.as_of)
}
