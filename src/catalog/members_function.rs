//! `members('name' [, as_of])`: who was in a segment at a date.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{ScalarValue, TableReference};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableSource};
use datafusion::prelude::ident;

use super::binder::{Binder, as_source};
use super::inputs::World;
use super::members::label;
use super::scope::Scope;
use super::{Evaluation, SharedTables, split_label};
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::source::{FilesTable, InputFile};
use crate::statement::Kind;
use crate::store::{Column, SnapshotRecord};

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
    let wanted = split_label(name).1;
    let snapshot = (definition.name.clone(), moment.date());
    let source = match binder.inputs.snapshots.get(&snapshot) {
        Some(record) if record.instant.timestamp_nanos_opt() == Some(moment.nanos()) => {
            from_snapshot(binder, record)?
        }
        _ if moment == binder.evaluation.moment => binder.source_of(definition)?,
        _ => {
            let evaluation = Evaluation {
                moment,
                variables: binder.evaluation.variables.clone(),
            };
            let shared = SharedTables::new();
            let world = World {
                evaluation: &evaluation,
                ..binder.world
            };
            let other = Binder::new(world, binder.inputs, &shared)?;
            other.source_of(definition)?
        }
    };
    match wanted {
        Some(name) => label(binder, definition, source, name),
        None => Ok(source),
    }
}

fn moment_of(when: &Expr, default: &Moment) -> Result<Moment> {
    let wrong = || {
        Error::new(format!("'{when}' is no date"))
            .hint("the second argument of members is a constant date: DATE '2026-01-31'")
    };
    let Expr::Literal(value, _) = when else {
        return Err(wrong());
    };
    let zone = default.zone();
    match value {
        ScalarValue::Date32(Some(days)) => {
            let date = NaiveDate::default() + chrono::Duration::days((*days).into());
            Moment::end_of(date, zone)
        }
        value if value.data_type().is_temporal() => {
            let text = value.cast_to(&DataType::Utf8)?.to_string();
            Moment::parse(
                &text,
                zone,
                chrono::DateTime::from_timestamp_nanos(default.nanos()),
            )
        }
        value => match value.try_as_str() {
            Some(Some(text)) => {
                let now = chrono::DateTime::from_timestamp_nanos(default.nanos());
                Moment::parse(text, zone, now)
            }
            _ => Err(wrong()),
        },
    }
}

/// The rows of a snapshot's file.
pub(super) fn from_snapshot(
    binder: &Binder<'_>,
    record: &SnapshotRecord,
) -> Result<Arc<dyn TableSource>> {
    let table = snapshot_table(record, &binder.world.store.file(record)?)?;
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

/// The file of a snapshot as a table with the columns its record names.
pub fn snapshot_table(record: &SnapshotRecord, path: &std::path::Path) -> Result<FilesTable> {
    stored_table(&record.columns, path)
}

/// A file of the store as a table with these columns.
pub(super) fn stored_table(columns: &[Column], path: &std::path::Path) -> Result<FilesTable> {
    let fields = columns
        .iter()
        .map(|column| {
            let data_type: DataType = column.data_type.parse()?;
            Ok(Field::new(&column.name, data_type, true))
        })
        .collect::<Result<Vec<_>>>()?;
    let file = InputFile::at(path)?;
    FilesTable::new(
        Arc::new(Schema::new(fields)),
        &[],
        &[file],
        Arc::new(ParquetFormat::default()),
    )
}
