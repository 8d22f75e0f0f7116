//! How a snapshot takes its place: its file under its id, then the one for everyone,
//! then the record, which makes it count.
//!
//! In a folder a lock keeps others out meanwhile. In a bucket nothing can be locked:
//! there the record is put on condition that it is still the one that was looked at.
//! Who comes second finds out, puts the file of the record that counts back in its
//! place, and looks again. As everyone does so after the last of their own steps,
//! the file for everyone ends up as the record says, whatever the order of steps.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use chrono::NaiveDate;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStoreExt, PutMode};

use super::{SegmentLock, SnapshotRecord, SnapshotWriter, Store, Written, json, layout};
use crate::error::{Error, Result};

/// How often the file for everyone is put right, while others put theirs.
const MAX_SETTLINGS: usize = 16;

/// What became of a file that was to take its place.
#[derive(Debug)]
pub enum Committed {
    /// It has.
    Done,
    /// Another run's record came first: what is there has to be looked at again.
    Overtaken(Written),
}

impl Store {
    /// Waits until nobody else is about to replace a snapshot of this segment; in a
    /// bucket, notes which record there is at this date, for [`Self::commit`] to find
    /// out whether it was replaced since.
    pub async fn lock(&self, segment: &str, as_of: NaiveDate) -> Result<SegmentLock> {
        let path = self.layout.lock(segment)?;
        self.lock_for(&path, &self.layout.record(segment, as_of)?)
            .await
    }

    /// The lock at a path, or, in a bucket, a note of the record that is there.
    pub(super) async fn lock_for(
        &self,
        path: &StorePath,
        record: &StorePath,
    ) -> Result<SegmentLock> {
        let lock = match self.local(path)? {
            Some(path) => SegmentLock::wait(&path).await?,
            None => SegmentLock::seen(match self.objects.head(record).await {
                Ok(meta) => Some(meta),
                Err(StoreError::NotFound { .. }) => None,
                Err(error) => return Err(self.failed(error)),
            }),
        };
        if !lock.is_held() {
            self.lacks_locks.store(true, Ordering::Relaxed);
        }
        Ok(lock)
    }

    /// Was there no lock to be had where one was asked for?
    pub fn lacks_locks(&self) -> bool {
        self.lacks_locks.load(Ordering::Relaxed)
    }

    /// Starts writing a snapshot; nothing is seen of it before [`Self::commit`].
    pub fn writer(&self, schema: SchemaRef) -> Result<SnapshotWriter> {
        let staged = self.layout.staged()?;
        SnapshotWriter::new(Arc::clone(&self.objects), staged, schema)
    }

    /// Puts a written file in its place, then its record; what fails before that
    /// leaves nothing staged.
    pub async fn commit(
        &self,
        lock: &SegmentLock,
        written: Written,
        record: &SnapshotRecord,
    ) -> Result<Committed> {
        let result = self.put_in_place(lock, &written, record).await;
        match result {
            Ok(true) => Ok(Committed::Done),
            Ok(false) => Ok(Committed::Overtaken(written)),
            Err(error) => {
                let _ = self.objects.delete(written.path()).await;
                Err(error)
            }
        }
    }

    /// Removes a written file that shall not become a snapshot.
    pub async fn discard(&self, written: Written) -> Result<()> {
        let deleted = self.objects.delete(written.path()).await;
        deleted.map_err(|error| self.failed(error))
    }

    /// Says of a provisional snapshot that its day is over and nothing changed;
    /// none when another took its place since it was read.
    pub async fn finish_day(&self, record: &SnapshotRecord) -> Result<Option<SnapshotRecord>> {
        let lock = self.lock(&record.segment, record.as_of).await?;
        let kept = self.snapshot(&record.segment, record.as_of).await?;
        let is_same =
            |kept: &SnapshotRecord| kept.id == record.id && kept.fingerprint == record.fingerprint;
        let Some(mut kept) = kept.filter(is_same) else {
            return Ok(None);
        };
        kept.provisional = false;
        Ok(self.put_record(&lock, &kept).await?.then_some(kept))
    }

    /// False when another's record came first.
    async fn put_in_place(
        &self,
        lock: &SegmentLock,
        written: &Written,
        record: &SnapshotRecord,
    ) -> Result<bool> {
        let (segment, date) = (&record.segment, record.as_of);
        let failed = |error| self.failed(error);
        let previous = self.snapshot(segment, date).await?;
        self.refuse_other_case(segment).await?;
        self.sync(written.path()).await?;
        // Every record has a file by its own id, whoever else renames meanwhile.
        let version = self.layout.version(segment, date, &record.id)?;
        let copied = self.objects.copy(written.path(), &version).await;
        copied.map_err(failed)?;
        let previous = previous.filter(|previous| previous.id != record.id);
        let restated = previous
            .as_ref()
            .filter(|previous| record.restates.as_ref() == Some(&previous.id));
        if let Some(previous) = restated {
            // What was said of a finished day stays readable, with its record.
            self.keep_version(previous).await?;
            let path = self.layout.version_record(segment, date, &previous.id)?;
            self.write_json(&path, previous).await?;
        }
        self.publish(written.path(), record).await?;
        if !self.put_record(lock, record).await? {
            self.settle(segment, date).await?;
            return Ok(false);
        }
        if let (Some(previous), None) = (&previous, restated) {
            self.drop_version(previous).await?;
        }
        if self.address.folder().is_none() {
            self.settle(segment, date).await?;
            let _ = self.objects.delete(written.path()).await;
        }
        Ok(true)
    }

    /// Where the file under its id is gone, the one for everyone has it once more.
    async fn keep_version(&self, record: &SnapshotRecord) -> Result<()> {
        let version = self
            .layout
            .version(&record.segment, record.as_of, &record.id)?;
        if self.footer(&version).await?.is_some() || !self.is_in_place(record).await? {
            return Ok(());
        }
        let members = self.layout.members(&record.segment, record.as_of)?;
        let copied = self.objects.copy(&members, &version).await;
        copied.map_err(|error| self.failed(error))
    }

    /// Puts the file for everyone. A bucket has no renaming: what is staged stays there
    /// until the record counts, and may be needed once more.
    async fn publish(&self, staged: &StorePath, record: &SnapshotRecord) -> Result<()> {
        let target = self.layout.members(&record.segment, record.as_of)?;
        self.put_file(staged, &target).await
    }

    pub(super) async fn put_file(&self, staged: &StorePath, target: &StorePath) -> Result<()> {
        let put = match self.address.folder() {
            Some(_) => self.objects.rename(staged, target).await,
            None => self.objects.copy(staged, target).await,
        };
        put.map_err(|error| self.failed(error))
    }

    /// Puts a record as far as the lock allows; false when another's came first.
    async fn put_record(&self, lock: &SegmentLock, record: &SnapshotRecord) -> Result<bool> {
        let path = self.layout.record(&record.segment, record.as_of)?;
        self.put_on_condition(lock, &path, json::bytes(record)?)
            .await
    }

    /// The same for the bytes of any record.
    pub(super) async fn put_on_condition(
        &self,
        lock: &SegmentLock,
        path: &StorePath,
        bytes: Bytes,
    ) -> Result<bool> {
        let mut put = self.put(path, bytes.clone(), lock.mode()).await;
        if matches!(put, Err(StoreError::NotImplemented { .. })) {
            // Without conditions, as AWS_CONDITIONAL_PUT says.
            self.lacks_locks.store(true, Ordering::Relaxed);
            put = self.put(path, bytes.clone(), PutMode::Overwrite).await;
        }
        match put {
            Ok(()) => self.sync(path).await.map(|()| true),
            // An answer may have been lost on its way, and the request sent again.
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                Ok(self.read_bytes(path).await? == Some(bytes))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Makes the file for everyone the one that the record names.
    async fn settle(&self, segment: &str, as_of: NaiveDate) -> Result<()> {
        for _ in 0..MAX_SETTLINGS {
            let Some(record) = self.snapshot(segment, as_of).await? else {
                return Ok(());
            };
            if self.is_in_place(&record).await? {
                return Ok(());
            }
            let version = self.layout.version(segment, as_of, &record.id)?;
            let target = self.layout.members(segment, as_of)?;
            match self.objects.copy(&version, &target).await {
                // Replaced since: the next look finds the newer one.
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    /// Removes the file of a record that no longer counts, unless it was restated.
    async fn drop_version(&self, record: &SnapshotRecord) -> Result<()> {
        let (segment, date) = (&record.segment, record.as_of);
        let restated = self.layout.version_record(segment, date, &record.id)?;
        if let Err(StoreError::NotFound { .. }) = self.objects.head(&restated).await {
            let version = self.layout.version(segment, date, &record.id)?;
            let _ = self.objects.delete(&version).await;
        }
        Ok(())
    }

    /// Two names that differ only in case would share a folder on some systems.
    pub(super) async fn refuse_other_case(&self, segment: &str) -> Result<()> {
        let own = layout::encode(segment);
        for name in self.folders().await? {
            if name != own && name.to_lowercase() == own.to_lowercase() {
                return Err(Error::new(format!(
                    "the store holds '{name}', which differs from '{own}' only in case"
                ))
                .hint("choose another name"));
            }
        }
        Ok(())
    }

    /// The names of all folders in the store.
    pub(super) async fn folders(&self) -> Result<Vec<String>> {
        if let Some(folder) = self.address.folder() {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            return Ok(names.collect());
        }
        let root = Some(self.layout.root()).filter(|root| !root.is_root());
        let listed = self.objects.list_with_delimiter(root).await;
        let folders = listed.map_err(|error| self.failed(error))?.common_prefixes;
        let names = folders.iter().filter_map(StorePath::filename);
        Ok(names.map(str::to_owned).collect())
    }
}
