//! `segql.rejects`: what sources with `on_bad_row = 'reject'` leave out.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::TableSource;

use super::text;
use crate::catalog::inputs::{World, open};
use crate::error::Result;
use crate::source::{BadRow, Fault};
use crate::statement::Kind;

/// One row for each bad field of each source that rejects, as its files are now,
/// by source, file, line and place in the line.
pub(super) async fn rejects(world: World<'_>) -> Result<Arc<dyn TableSource>> {
    let schema = schema();
    let mut batches = vec![];
    for definition in world.catalog.of_kind(Kind::Source) {
        let options = definition.source_options()?;
        if options.on_bad_row != BadRow::Reject {
            continue;
        }
        let source = open(world, definition, &options).await?;
        source.faults(|file, faults| {
            let path = file.path.to_string_lossy();
            batches.extend(batch(&schema, &definition.name, &path, faults)?);
            Ok(())
        })?;
    }
    let table = MemTable::try_new(schema, vec![batches])?;
    Ok(provider_as_source(Arc::new(table)))
}

fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        text("source"),
        text("file"),
        Field::new("line", DataType::Int64, true),
        text("column_name"),
        text("value"),
        text("reason"),
        text("row_text"),
    ]))
}

fn batch(
    schema: &SchemaRef,
    source: &str,
    file: &str,
    faults: Vec<Fault>,
) -> Result<Option<RecordBatch>> {
    if faults.is_empty() {
        return Ok(None);
    }
    let same = |value: &str| text(faults.iter().map(|_| Some(value.to_owned())));
    let lines = faults.iter().map(|fault| Some(fault.line as i64));
    let columns: Vec<ArrayRef> = vec![
        same(source),
        same(file),
        Arc::new(lines.collect::<Int64Array>()),
        text(faults.iter().map(|fault| fault.column.clone())),
        text(faults.iter().map(|fault| fault.value.clone())),
        text(faults.iter().map(|fault| Some(fault.reason.clone()))),
        text(faults.iter().map(|fault| Some(fault.row.clone()))),
    ];
    Ok(Some(RecordBatch::try_new(Arc::clone(schema), columns)?))
}
