//! Keeps rows that several nodes of a run read: in memory while the limit allows,
//! else in a temporary file.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use futures::StreamExt;

use super::Engine;
use crate::error::{Error, Result};
use crate::exec::{KeptRows, KeptTable, Place};
use crate::source::{FilesTable, InputFile};

/// Of the memory that queries may hold, kept rows take at most one in so many:
/// the rest is for those who read them.
const SHARE_OF_MEMORY: usize = 4;

/// Rows of the file that are encoded before any is written: nobody counts them.
const ROW_GROUP: usize = 1 << 16;

/// What was kept, and how much it is.
pub(super) struct SharedRows {
    pub(super) kept: KeptRows,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) in_file: bool,
}

impl Engine {
    /// Whoever is to keep these columns of a table; what must not fill memory goes to
    /// a file at once.
    pub(super) fn keeper(
        &self,
        what: &str,
        table: &KeptTable,
        columns: &[usize],
        may_fill: bool,
    ) -> Result<Keeper> {
        let pool = Arc::clone(&self.session.runtime_env().memory_pool);
        let most = match pool.memory_limit() {
            _ if !may_fill => 0,
            MemoryLimit::Finite(bytes) => bytes / SHARE_OF_MEMORY,
            _ => usize::MAX,
        };
        Ok(Keeper {
            memory: MemoryConsumer::new(format!("shared rows of {what}")).register(&pool),
            most,
            batches: vec![],
            spill: None,
            engine: self.clone(),
            schema: Arc::new(table.all_columns().project(columns)?),
        })
    }

    /// Computes a plan and keeps its rows, sorted by the column at `sort` of them if by
    /// any.
    pub(super) async fn keep(
        &self,
        plan: LogicalPlan,
        keeper: Keeper,
        columns: Vec<usize>,
        sort: Option<usize>,
    ) -> Result<SharedRows> {
        let stream = self.stream(&plan).await?;
        let batch_rows = self.session.state().config().batch_size();
        // On a thread of its own: the run goes on with what does not wait for it.
        let kept = SpawnedTask::spawn(keeper.take(stream, batch_rows)).join_unwind();
        let (keeper, rows) = kept
            .await
            .map_err(|_| Error::new("the work was cut off"))??;
        let (place, bytes) = keeper.close(sort).await?;
        Ok(SharedRows {
            rows,
            bytes,
            in_file: matches!(place, Place::File { .. }),
            kept: KeptRows {
                columns,
                sorted_by: sort,
                place,
            },
        })
    }

    fn spill(&self, schema: &SchemaRef) -> Result<Spill> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("segql-").suffix(".parquet");
        let file = match &self.temp_dir {
            Some(folder) => builder.tempfile_in(folder)?,
            None => builder.tempfile()?,
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .build();
        let writer = ArrowWriter::try_new(file.reopen()?, Arc::clone(schema), Some(properties))?;
        Ok(Spill { file, writer })
    }
}

struct Spill {
    file: tempfile::NamedTempFile,
    writer: ArrowWriter<std::fs::File>,
}

/// Takes rows as they come.
pub(super) struct Keeper {
    memory: MemoryReservation,
    most: usize,
    batches: Vec<RecordBatch>,
    spill: Option<Spill>,
    engine: Engine,
    schema: SchemaRef,
}

impl Keeper {
    /// All rows of a stream; gives their number.
    async fn take(
        mut self,
        mut stream: SendableRecordBatchStream,
        batch_rows: usize,
    ) -> Result<(Self, u64)> {
        // Copies what comes: many batches may be slices of one, and none of them
        // says how much memory is its own.
        let mut compact = BatchCoalescer::new(Arc::clone(&self.schema), batch_rows);
        let mut rows = 0;
        while let Some(batch) = stream.next().await.transpose()? {
            rows += batch.num_rows() as u64;
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
            compact.push_batch(batch)?;
            while let Some(batch) = compact.next_completed_batch() {
                self.add(batch)?;
            }
        }
        compact.finish_buffered_batch()?;
        while let Some(batch) = compact.next_completed_batch() {
            self.add(batch)?;
        }
        Ok((self, rows))
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        if let Some(spill) = &mut self.spill {
            return Ok(spill.writer.write(&batch)?);
        }
        let size = batch.get_array_memory_size();
        let fits = self.memory.size() + size <= self.most;
        if fits && self.memory.try_grow(size).is_ok() {
            self.batches.push(batch);
            return Ok(());
        }
        let mut spill = self.engine.spill(&self.schema)?;
        for batch in self.batches.drain(..).chain([batch]) {
            spill.writer.write(&batch)?;
        }
        self.memory.free();
        self.spill = Some(spill);
        Ok(())
    }

    /// Where the rows are now, and how many bytes they take.
    async fn close(self, sort: Option<usize>) -> Result<(Place, u64)> {
        let Some(spill) = self.spill else {
            let bytes = self.memory.size() as u64;
            let place = Place::Memory {
                batches: self.batches,
                _memory: self.memory,
            };
            return Ok((place, bytes));
        };
        spill.writer.close()?;
        let file = InputFile::at(spill.file.path())?;
        let bytes = file.size;
        let format = Arc::new(ParquetFormat::default());
        let table = FilesTable::new(self.schema, &[], &[file], format)?;
        let table = table.with_statistics(&self.engine.session.state()).await?;
        let place = Place::File {
            table: Box::new(match sort {
                Some(column) => table.sorted_by(column),
                None => table,
            }),
            _file: spill.file,
        };
        Ok((place, bytes))
    }
}
