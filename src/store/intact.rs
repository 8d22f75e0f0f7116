//! Is a file what its record says: every byte of its pages, its rows and columns?

use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStoreExt};
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::ParquetMetaData;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::json::is_missing;
use super::write::{ID_KEY, id_text};
use super::{Column, SnapshotRecord, Store, footer};
use crate::error::Result;

/// Bytes that are read at once.
const BLOCK: u64 = 4 << 20;

/// What a record says of its file; records of snapshots say more.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FileRecord {
    pub(super) id: String,
    rows: u64,
    columns: Vec<Column>,
}

impl From<&SnapshotRecord> for FileRecord {
    fn from(record: &SnapshotRecord) -> Self {
        Self {
            id: record.id.clone(),
            rows: record.rows,
            columns: record.columns.clone(),
        }
    }
}

/// What was found where a snapshot's file belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The very file of the record.
    Sound,
    /// No file.
    Missing,
    /// A file of segql's, of another content.
    Other,
    /// A Parquet file that segql did not write.
    Foreign,
    /// A file that is not what it should be, and why.
    Wrong(String),
}

impl Store {
    /// The file at `path` beside the record that names it.
    pub(super) async fn inspect(&self, path: &StorePath, record: &FileRecord) -> Result<Found> {
        match self.look_into(path, record).await {
            Ok(found) => Ok(found),
            Err(error) if is_missing(&error) => Ok(Found::Missing),
            // What cannot be read from a disk is damaged; a bucket may be out of reach.
            Err(_) if self.address.folder().is_some() => {
                Ok(Found::Wrong("cannot be read".to_owned()))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn look_into(
        &self,
        path: &StorePath,
        record: &FileRecord,
    ) -> std::result::Result<Found, StoreError> {
        let Some((file, footer)) = footer::whole(self.objects.as_ref(), path).await? else {
            return Ok(Found::Wrong("is no whole Parquet file".to_owned()));
        };
        let Some(id) = footer::entry(&footer, ID_KEY) else {
            return Ok(Found::Foreign);
        };
        if id != record.id {
            return Ok(Found::Other);
        }
        if let Some(wrong) = wrong_footer(&footer, record) {
            return Ok(Found::Wrong(wrong));
        }
        let Some(end) = end_of_pages(&footer).filter(|end| *end <= file.size) else {
            return Ok(Found::Wrong("has a damaged footer".to_owned()));
        };
        let mut hash = Sha256::new();
        let mut start = 0;
        while start < end {
            let next = end.min(start + BLOCK);
            hash.update(self.objects.get_range(path, start..next).await?);
            start = next;
        }
        Ok(match id_text(&hash.finalize()) == id {
            true => Found::Sound,
            false => Found::Wrong("has other pages than those whose checksum is its id".to_owned()),
        })
    }
}

fn wrong_footer(meta: &ParquetMetaData, record: &FileRecord) -> Option<String> {
    let file = meta.file_metadata();
    let rows = file.num_rows();
    if u64::try_from(rows) != Ok(record.rows) {
        return Some(format!(
            "has {rows} rows where its record says {}",
            record.rows
        ));
    }
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()?;
    let fields = schema.fields().iter();
    let found: Vec<_> = fields
        .map(|field| (field.name().clone(), field.data_type().to_string()))
        .collect();
    let columns = record.columns.iter();
    let same = columns
        .map(|column| (column.name.clone(), column.data_type.clone()))
        .eq(found);
    (!same).then(|| "has other columns than its record says".to_owned())
}

/// The checksum is of all that stands before the footer and its indexes; none when the
/// footer speaks of places that cannot be.
fn end_of_pages(meta: &ParquetMetaData) -> Option<u64> {
    // A file without rows has the four letters that begin each.
    let mut end = 4;
    for chunk in meta.row_groups().iter().flat_map(|group| group.columns()) {
        let start = chunk.dictionary_page_offset();
        let start = start.unwrap_or_else(|| chunk.data_page_offset());
        let chunk_end = start.checked_add(chunk.compressed_size())?;
        end = end.max(u64::try_from(chunk_end).ok()?);
    }
    Some(end)
}
