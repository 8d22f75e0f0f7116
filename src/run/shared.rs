//! Rows that several segments build on, computed once.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use futures::StreamExt;

use super::Engine;
use crate::error::{Error, Result};
use crate::source::{FilesTable, InputFile};

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
        let frame = self.session.execute_logical_plan(plan).await?;
        let schema: SchemaRef = Arc::clone(frame.schema().inner());
        let partitions = frame.execute_stream_partitioned().await?;
        let runtime = self.session.runtime_env();
        let memory =
            MemoryConsumer::new(format!("shared rows of {name}")).register(&runtime.memory_pool);
        let mut kept: Vec<RecordBatch> = vec![];
        let mut file: Option<Spill> = None;
        let mut rows = futures::stream::select_all(partitions);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            if let Some(spill) = &mut file {
                spill.writer.write(&batch)?;
            } else if memory.try_grow(batch.get_array_memory_size()).is_ok() {
                kept.push(batch);
            } else {
                let mut spill = Spill::new(&schema)?;
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
                let file = spill.finish()?;
                (from_file(schema, file.path())?, Some(file))
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
}

struct Spill {
    file: tempfile::NamedTempFile,
    writer: FileWriter<std::io::BufWriter<std::fs::File>>,
}

impl Spill {
    fn new(schema: &SchemaRef) -> Result<Self> {
        let file = tempfile::Builder::new()
            .prefix("segql-")
            .suffix(".arrow")
            .tempfile()?;
        let writer = FileWriter::try_new_buffered(file.reopen()?, schema)?;
        Ok(Self { file, writer })
    }

    fn finish(mut self) -> Result<tempfile::NamedTempFile> {
        self.writer.finish()?;
        Ok(self.file)
    }
}

fn from_file(schema: SchemaRef, path: &std::path::Path) -> Result<Arc<dyn TableSource>> {
    let file = InputFile::at(path)?;
    let table = FilesTable::new(Arc::clone(&schema), &[], &[file], Arc::new(ArrowFormat))?;
    let source = provider_as_source(Arc::new(table));
    // The file's own name is a column of the table, but not of these rows.
    let columns = (0..schema.fields().len()).collect();
    let plan = datafusion::logical_expr::LogicalPlanBuilder::scan("shared", source, Some(columns))?
        .build()
        .map_err(Error::from)?;
    Ok(provider_as_source(Arc::new(
        datafusion::datasource::ViewTable::new(plan, None),
    )))
}
