//! Batches that are read again: in memory while the pool allows, else in a temporary file.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SpillFile, SpillWriter};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::SpillMetrics;
use futures::stream::{self, BoxStream, StreamExt};

use super::held::Held;

/// Batches in the order they came: first those in files, then those in memory.
pub(super) struct Buffer {
    schema: SchemaRef,
    runtime: Arc<RuntimeEnv>,
    metrics: SpillMetrics,
    writing: Option<Writing>,
    spilled: VecDeque<Arc<dyn SpillFile>>,
    reading: Option<SendableRecordBatchStream>,
    memory: VecDeque<RecordBatch>,
}

struct Writing {
    file: Arc<dyn SpillFile>,
    writer: StreamWriter<Box<dyn SpillWriter>>,
}

impl Buffer {
    pub(super) fn new(
        schema: SchemaRef,
        runtime: &Arc<RuntimeEnv>,
        metrics: &SpillMetrics,
    ) -> Self {
        Self {
            schema,
            runtime: Arc::clone(runtime),
            metrics: metrics.clone(),
            writing: None,
            spilled: VecDeque::new(),
            reading: None,
            memory: VecDeque::new(),
        }
    }

    /// Takes a batch in; what finds no room in memory goes to the file.
    pub(super) fn push(&mut self, batch: RecordBatch, held: &mut Held) -> Result<()> {
        if !self.keep(&batch, held) {
            self.spill(held)?;
            if !self.keep(&batch, held) {
                return self.write(&batch);
            }
        }
        Ok(())
    }

    /// Takes a batch in if there is room in memory; says whether there was.
    pub(super) fn keep(&mut self, batch: &RecordBatch, held: &mut Held) -> bool {
        let room = held.try_add(batch).is_ok();
        if room {
            self.memory.push_back(batch.clone());
        }
        room
    }

    /// Moves what is in memory to the file.
    pub(super) fn spill(&mut self, held: &mut Held) -> Result<()> {
        while let Some(batch) = self.memory.pop_front() {
            self.write(&batch)?;
            held.remove(&batch);
        }
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.writing.is_none() {
            let disk = &self.runtime.disk_manager;
            let file = disk.create_tmp_file("rows of a window")?;
            let writer = StreamWriter::try_new(file.open_writer()?, &self.schema)?;
            self.metrics.spill_file_count.add(1);
            self.writing = Some(Writing { file, writer });
        }
        let compact = compact(batch)?;
        self.metrics.spilled_rows.add(batch.num_rows());
        let writing = self.writing.as_mut().expect("was opened above");
        Ok(writing.writer.write(&compact)?)
    }

    /// Ends the file that is written to.
    fn finish(&mut self) -> Result<()> {
        let Some(Writing { file, mut writer }) = self.writing.take() else {
            return Ok(());
        };
        writer.finish()?;
        writer.into_inner()?.finish()?;
        let bytes = file.size().unwrap_or(0);
        self.metrics.spilled_bytes.add(bytes as usize);
        self.spilled.push_back(file);
        Ok(())
    }

    fn read_file(&self, file: Arc<dyn SpillFile>) -> Result<SendableRecordBatchStream> {
        let manager = SpillManager::new(
            Arc::clone(&self.runtime),
            self.metrics.clone(),
            Arc::clone(&self.schema),
        );
        manager.read_spill_as_stream(file, None)
    }

    /// Reads all batches and keeps them.
    pub(super) fn read(&mut self) -> Result<BoxStream<'_, Result<RecordBatch>>> {
        self.finish()?;
        let files = self.spilled.iter().cloned();
        let files: Vec<_> = files
            .map(|file| self.read_file(file))
            .collect::<Result<_>>()?;
        let memory = stream::iter(self.memory.iter().cloned().map(Ok));
        Ok(stream::iter(files).flatten().chain(memory).boxed())
    }

    /// Gives the next batch out for good. Until all are out, none may be taken in.
    pub(super) async fn pop(&mut self, held: &mut Held) -> Result<Option<RecordBatch>> {
        self.finish()?;
        loop {
            if let Some(reading) = &mut self.reading {
                if let Some(batch) = reading.next().await {
                    return batch.map(Some);
                }
                self.reading = None;
            }
            let Some(file) = self.spilled.pop_front() else {
                break;
            };
            self.reading = Some(self.read_file(file)?);
        }
        let batch = self.memory.pop_front();
        if let Some(batch) = &batch {
            held.remove(batch);
        }
        Ok(batch)
    }
}

/// Without the texts that other slices of the same arrays hold: the file would get them again and
/// again.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let column = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => Arc::clone(column),
        }
    };
    let columns = batch.columns().iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        batch.schema(),
        columns,
        &options,
    )?)
}
