//! The footer of a snapshot's file, and the id in it.

use bytes::Bytes;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, Result};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::write::ID_KEY;

/// Read first; most footers are shorter.
const END_BYTES: u64 = 64 << 10;

/// A file with its id; none when it is no Parquet of ours.
pub(super) async fn read(
    objects: &dyn ObjectStore,
    path: &StorePath,
) -> Result<Option<(ObjectMeta, String)>> {
    let footer = whole(objects, path).await?;
    Ok(footer.and_then(|(meta, footer)| entry(&footer, ID_KEY).map(|id| (meta, id))))
}

/// An entry of a footer.
pub(super) fn entry(footer: &ParquetMetaData, key: &str) -> Option<String> {
    let entries = footer.file_metadata().key_value_metadata()?;
    let entry = entries.iter().find(|entry| entry.key == key)?;
    entry.value.clone()
}

/// A file with its footer; none when it is no Parquet.
pub(super) async fn whole(
    objects: &dyn ObjectStore,
    path: &StorePath,
) -> Result<Option<(ObjectMeta, ParquetMetaData)>> {
    let (meta, bytes) = end(objects, path, END_BYTES).await?;
    let footer = match parse(&bytes, meta.size) {
        Err(ParquetError::NeedMoreData(wanted)) if wanted as u64 <= meta.size => {
            let (_, bytes) = end(objects, path, wanted as u64).await?;
            parse(&bytes, meta.size)
        }
        done => done,
    };
    Ok(footer.ok().map(|footer| (meta, footer)))
}

async fn end(
    objects: &dyn ObjectStore,
    path: &StorePath,
    bytes: u64,
) -> Result<(ObjectMeta, Bytes)> {
    let options = GetOptions {
        range: Some(GetRange::Suffix(bytes)),
        ..GetOptions::default()
    };
    let found = objects.get_opts(path, options).await?;
    let meta = found.meta.clone();
    Ok((meta, found.bytes().await?))
}

fn parse(end: &Bytes, size: u64) -> std::result::Result<ParquetMetaData, ParquetError> {
    let mut reader = ParquetMetaDataReader::new();
    reader.try_parse_sized(end, size)?;
    reader.finish()
}
