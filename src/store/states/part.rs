//! A part of a state: its rows as Arrow IPC files, each with its checksum.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::reader::FileReader;
use datafusion::arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::entry::hex;
use crate::source::InputFile;

/// Bytes that are written, or read to be checked, at once.
const BLOCK: usize = 1 << 20;

/// The state of some files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Tells it from others.
    pub id: String,
    /// The files it was computed from.
    pub files: Vec<InputFile>,
    /// Rows in these files.
    pub input_rows: u64,
    /// Its own rows.
    pub rows: u64,
    /// The files with its rows.
    pub shards: Vec<Shard>,
}

/// A file with some rows of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its name in the folder.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sum: String,
}

impl Part {
    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes).sum()
    }

    /// Can it never be used again, as a file of it is gone or another?
    pub(super) fn is_stale(&self) -> bool {
        crate::source::changed(&self.files).is_some()
    }

    /// Are its files as they were written, and have they these columns?
    pub(super) fn is_intact(&self, folder: &Path, columns: &Schema) -> bool {
        std::thread::scope(|scope| {
            let shards = self.shards.iter();
            let checks: Vec<_> = shards
                .map(|shard| scope.spawn(move || shard.is_intact(folder, columns).unwrap_or(false)))
                .collect();
            checks
                .into_iter()
                .all(|check| check.join().unwrap_or(false))
        })
    }
}

impl Shard {
    /// Is every byte there as it was written?
    pub(super) fn is_whole(&self, folder: &Path) -> io::Result<bool> {
        let mut file = File::open(folder.join(&self.name))?;
        if file.metadata()?.len() != self.bytes {
            return Ok(false);
        }
        let mut hash = Sha256::new();
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block)? {
                0 => break,
                read => hash.update(&block[..read]),
            }
        }
        Ok(hex(&hash.finalize()) == self.sum)
    }

    fn is_intact(&self, folder: &Path, columns: &Schema) -> io::Result<bool> {
        if !self.is_whole(folder)? {
            return Ok(false);
        }
        let file = BufReader::new(File::open(folder.join(&self.name))?);
        let reader = FileReader::try_new(file, None).map_err(io::Error::other)?;
        Ok(*reader.schema() == *columns)
    }
}

/// Counts and hashes what passes.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a file of a part.
pub struct ShardWriter {
    writer: FileWriter<BufWriter<Hashed<NamedTempFile>>>,
    columns: SchemaRef,
    rows: u64,
}

/// A file of a part that is complete; it is gone when it is dropped before it is kept.
#[derive(Debug)]
pub struct WrittenShard {
    file: NamedTempFile,
    bytes: u64,
    sum: String,
    /// Its rows.
    pub rows: u64,
}

impl ShardWriter {
    pub(super) fn new(folder: &Path, key: &str, columns: &Schema) -> Result<Self, ArrowError> {
        let file = tempfile::Builder::new()
            .prefix(&format!("{key}."))
            .suffix(".arrow")
            .tempfile_in(folder)?;
        let hashed = Hashed {
            inner: file,
            hash: Sha256::new(),
            bytes: 0,
        };
        let out = BufWriter::with_capacity(BLOCK, hashed);
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        Ok(Self {
            writer: FileWriter::try_new_with_options(out, columns, options)?,
            columns: Arc::new(columns.clone()),
            rows: 0,
        })
    }

    /// Adds rows; their columns count by place, whatever they are called.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        let columns = rows.columns().iter().map(compact).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.columns), columns)?;
        self.rows += batch.num_rows() as u64;
        self.writer.write(&batch)
    }

    /// Completes the file.
    pub fn finish(mut self) -> Result<WrittenShard, ArrowError> {
        self.writer.finish()?;
        let out = self.writer.into_inner()?;
        let hashed = out.into_inner().map_err(|error| error.into_error())?;
        Ok(WrittenShard {
            file: hashed.inner,
            bytes: hashed.bytes,
            sum: hex(&hashed.hash.finalize()),
            rows: self.rows,
        })
    }
}

impl WrittenShard {
    /// Leaves the file where it is, to be named by a part.
    pub fn keep(self) -> io::Result<Shard> {
        let (_, path) = self.file.keep().map_err(|error| error.error)?;
        let name = path.file_name().unwrap_or_default();
        Ok(Shard {
            name: name.to_string_lossy().into_owned(),
            bytes: self.bytes,
            sum: self.sum,
        })
    }
}

/// Views into large buffers would be written with all of these, batch after batch.
fn compact(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        _ => Arc::clone(column),
    }
}
