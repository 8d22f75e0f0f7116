//! Records as JSON files of a store.

use bytes::Bytes;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStoreExt, PutMode, PutOptions};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, write};
use crate::error::{Error, Result};

/// How many records are read at once.
const CONCURRENT_READS: usize = 16;

/// What was found where a record belongs.
#[derive(Debug)]
pub(super) enum Reading<T> {
    /// A record.
    Whole(T),
    /// Nothing.
    Missing,
    /// A file that is no record.
    Damaged,
}

/// A record as it is written.
pub(super) fn bytes(record: &impl Serialize) -> Result<Bytes> {
    let mut bytes = serde_json::to_vec_pretty(record)
        .map_err(|error| Error::new(format!("cannot write a record: {error}")))?;
    bytes.push(b'\n');
    Ok(bytes.into())
}

impl Store {
    /// Every record below a folder. A damaged one counts for nothing; the rest still
    /// does.
    pub(super) async fn read_all<T: DeserializeOwned>(&self, folder: &StorePath) -> Result<Vec<T>> {
        let listed: Vec<_> = self
            .objects
            .list(Some(folder))
            .try_collect()
            .await
            .map_err(|error| self.failed(error))?;
        let ours = |path: &StorePath| path.extension() == Some("json");
        let paths = listed.into_iter().map(|meta| meta.location).filter(ours);
        let read: Vec<Option<T>> = futures::stream::iter(paths)
            .map(|path| async move { self.read_json(&path).await })
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// A record; none when there is none, or it is damaged (the power went): it is made
    /// anew.
    pub(super) async fn read_json<T: DeserializeOwned>(
        &self,
        path: &StorePath,
    ) -> Result<Option<T>> {
        Ok(match self.read_record(path).await? {
            Reading::Whole(record) => Some(record),
            Reading::Missing | Reading::Damaged => None,
        })
    }

    /// The same, for whoever has to tell damage from absence.
    pub(super) async fn read_record<T: DeserializeOwned>(
        &self,
        path: &StorePath,
    ) -> Result<Reading<T>> {
        let Some(bytes) = self.read_bytes(path).await? else {
            return Ok(Reading::Missing);
        };
        Ok(match serde_json::from_slice(&bytes) {
            Ok(record) => Reading::Whole(record),
            Err(_) => Reading::Damaged,
        })
    }

    pub(super) async fn read_bytes(&self, path: &StorePath) -> Result<Option<Bytes>> {
        let read = match self.objects.get(path).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    pub(super) async fn write_json(&self, path: &StorePath, record: &impl Serialize) -> Result<()> {
        let put = self.put(path, bytes(record)?, PutMode::Overwrite).await;
        put.map_err(|error| self.failed(error))?;
        // What counts is on the disk before anything is said to be done.
        self.sync(path).await
    }

    pub(super) async fn put(
        &self,
        path: &StorePath,
        bytes: Bytes,
        mode: PutMode,
    ) -> std::result::Result<(), StoreError> {
        let options = PutOptions::from(mode);
        self.objects.put_opts(path, bytes.into(), options).await?;
        Ok(())
    }

    /// Waits until the disk has a file; an object store answers when it has.
    pub(super) async fn sync(&self, path: &StorePath) -> Result<()> {
        match self.local(path)? {
            Some(path) => write::sync(path).await,
            None => Ok(()),
        }
    }

    pub(super) fn failed(&self, error: StoreError) -> Error {
        Error::from(error).context(format!("store '{}'", self.address))
    }
}

/// Is the file not there? Not, is there no such bucket.
pub(super) fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::NotFound { .. }) && !error.to_string().contains("NoSuchBucket")
}
