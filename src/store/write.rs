//! Writing a snapshot's file: the same rows make the same bytes.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::object_store::buffered::BufWriter;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStore};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::error::{Error, Result};

/// Rows that are handed to the encoder at once, whatever arrives: pages depend
/// on it.
const BATCH_ROWS: usize = 8192;

/// Encoded bytes that are handed on at once.
const PART_BYTES: usize = 1 << 20;

/// Bytes that are sent to an object store at once, which takes no fewer, and how often
/// so many may be on their way: nobody accounts for their memory.
const UPLOAD_BYTES: usize = 5 << 20;
const UPLOADS: usize = 3;

/// Key of the footer's entry with the content's checksum.
pub(super) const ID_KEY: &str = "segql.id";

/// Key of the footer's entry with the definition's fingerprint.
pub(super) const DEFINITION_KEY: &str = "segql.definition";

/// Writes one snapshot's file.
pub struct SnapshotWriter {
    encoder: ArrowWriter<Vec<u8>>,
    out: BufWriter,
    hash: Sha256,
    coalescer: BatchCoalescer,
    path: StorePath,
    rows: u64,
}

/// A file that is complete but not yet in its place.
#[derive(Debug)]
pub struct Written {
    path: StorePath,
    /// Checksum of its content.
    pub id: String,
    /// Its rows.
    pub rows: u64,
}

impl Written {
    pub(super) fn path(&self) -> &StorePath {
        &self.path
    }
}

/// Waits until the disk has a file, on a thread that may wait.
pub(super) async fn sync(path: PathBuf) -> Result<()> {
    let synced = tokio::task::spawn_blocking(move || std::fs::File::open(path)?.sync_all());
    let synced = synced.await;
    Ok(synced.map_err(|_| Error::new("the work was cut off"))??)
}

/// How a snapshot with these columns is encoded. Its first column is the key, each
/// value of which stands there once, or a few times: a dictionary of them would be as
/// long as the column. Whole numbers come upwards and take little as differences.
fn properties(schema: &Schema) -> Result<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_created_by("segql".to_owned());
    if let Some(key) = schema.fields().first() {
        let path = ColumnPath::new(vec![key.name().clone()]);
        properties = properties.set_column_dictionary_enabled(path.clone(), false);
        if matches!(key.data_type(), DataType::Int32 | DataType::Int64) {
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(properties.build())
}

impl SnapshotWriter {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        path: StorePath,
        schema: SchemaRef,
    ) -> Result<Self> {
        let properties = properties(&schema)?;
        Ok(Self {
            encoder: ArrowWriter::try_new(vec![], Arc::clone(&schema), Some(properties))?,
            out: BufWriter::with_capacity(objects, path.clone(), UPLOAD_BYTES)
                .with_max_concurrency(UPLOADS),
            hash: Sha256::new(),
            coalescer: BatchCoalescer::new(schema, BATCH_ROWS),
            path,
            rows: 0,
        })
    }

    /// Adds rows.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.coalescer.push_batch(batch)?;
        self.drain().await
    }

    /// Gives up; what was sent already is gone.
    pub async fn abort(mut self) {
        let _ = self.out.abort().await;
    }

    async fn drain(&mut self) -> Result<()> {
        while let Some(batch) = self.coalescer.next_completed_batch() {
            self.encoder.write(&batch)?;
            if self.encoder.inner().len() >= PART_BYTES {
                self.send_data().await?;
            }
        }
        Ok(())
    }

    /// Hands encoded pages on, counted into the checksum.
    async fn send_data(&mut self) -> Result<()> {
        self.encoder.sync()?;
        let bytes = std::mem::take(self.encoder.inner_mut());
        self.hash.update(&bytes);
        Ok(self.out.put(Bytes::from(bytes)).await?)
    }

    /// Completes the file; its footer gets the definition's fingerprint and the
    /// checksum of all that stands before it.
    pub async fn finish(mut self, fingerprint: &str) -> Result<Written> {
        self.coalescer.finish_buffered_batch()?;
        self.drain().await?;
        self.encoder.flush()?;
        self.send_data().await?;
        let id = id_text(&self.hash.clone().finalize());
        let entry = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        self.encoder.append_key_value_metadata(entry(ID_KEY, &id));
        self.encoder
            .append_key_value_metadata(entry(DEFINITION_KEY, fingerprint));
        let footer = self.encoder.into_inner()?;
        self.out.put(Bytes::from(footer)).await?;
        self.out.shutdown().await.map_err(of_store)?;
        Ok(Written {
            path: self.path,
            id,
            rows: self.rows,
        })
    }
}

/// A checksum as an id.
pub(super) fn id_text(digest: &[u8]) -> String {
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// An error of the object store that came as one of a file.
fn of_store(error: io::Error) -> Error {
    match error.downcast::<StoreError>() {
        Ok(error) => error.into(),
        Err(error) => error.into(),
    }
}
