//! Rows that several segments build on, computed once.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::TableReference;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::parquet::arrow::ArrowWriter;
use futures::StreamExt;

use super::Engine;
use crate::error::Result;
use crate::source::{FilesTable, InputFile};

/// Of the memory that queries may hold, kept rows take at most one in so many:
/// the rest is for those who read them.
const SHARE_OF_MEMORY: usize = 4;

/// Rows kept for the rest of a run: in memory while the limit allows, else in a
/// temporary file.
pub(super) struct SharedRows {
    pub(super) table: Arc<dyn TableSource>,
    _memory: MemoryReservation,
    _file: Option<tempfile::NamedTempFile>,
}

impl Engine {
    /// Computes a plan and keeps its rows.
    pub(super) async fn keep(&self, name: &str, plan: LogicalPlan) -> Result<SharedRows> {
        let schema: SchemaRef = Arc::clone(plan.schema().inner());
        let partitions = self.streams(&plan).await?;
        let pool = Arc::clone(&self.session.runtime_env().memory_pool);
        let most = match pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes / SHARE_OF_MEMORY,
            _ => usize::MAX,
        };
        let memory = MemoryConsumer::new(format!("shared rows of {name}")).register(&pool);
        let mut kept: Vec<RecordBatch> = vec![];
        let mut file: Option<Spill> = None;
        let mut rows = futures::stream::select_all(partitions);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let size = batch.get_array_memory_size();
            if let Some(spill) = &mut file {
                spill.writer.write(&batch)?;
            } else if memory.size() + size <= most && memory.try_grow(size).is_ok() {
                kept.push(batch);
            } else {
                let mut spill = self.spill(&schema)?;
                for batch in kept.drain(..).chain([batch]) {
                    spill.writer.write(&batch)?;
                }
                memory.free();
                file = Some(spill);
            }
        }
        let (table, file) = match file {
            None => (self.in_memory(schema, kept)?, None),
            Some(spill) => {
                spill.writer.close()?;
                (
                    from_file(name, schema, spill.file.path())?,
                    Some(spill.file),
                )
            }
        };
        Ok(SharedRows {
            table,
            _memory: memory,
            _file: file,
        })
    }

    fn in_memory(
        &self,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<Arc<dyn TableSource>> {
        let partitions = self.session.state().config().target_partitions().max(1);
        let mut parts: Vec<Vec<RecordBatch>> = vec![vec![]; partitions];
        for (index, batch) in batches.into_iter().enumerate() {
            parts[index % partitions].push(batch);
        }
        Ok(provider_as_source(Arc::new(MemTable::try_new(
            schema, parts,
        )?)))
    }

    fn spill(&self, schema: &SchemaRef) -> Result<Spill> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("segql-").suffix(".parquet");
        let file = match &self.temp_dir {
            Some(folder) => builder.tempfile_in(folder)?,
            None => builder.tempfile()?,
        };
        let writer = ArrowWriter::try_new(file.reopen()?, Arc::clone(schema), None)?;
        Ok(Spill { file, writer })
    }
}

struct Spill {
    file: tempfile::NamedTempFile,
    writer: ArrowWriter<std::fs::File>,
}

fn from_file(
    name: &str,
    schema: SchemaRef,
    path: &std::path::Path,
) -> Result<Arc<dyn TableSource>> {
    let file = InputFile::at(path)?;
    let format = Arc::new(ParquetFormat::default());
    let table = FilesTable::new(Arc::clone(&schema), &[], &[file], format)?;
    let source = provider_as_source(Arc::new(table));
    // The file's own name is a column of the table, but not of these rows.
    let columns = (0..schema.fields().len()).collect();
    let scan = LogicalPlanBuilder::scan(TableReference::bare(name), source, Some(columns))?;
    Ok(provider_as_source(Arc::new(ViewTable::new(
        scan.build()?,
        None,
    ))))
}
