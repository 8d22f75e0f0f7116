//! Where snapshots live: members as Parquet files that any engine reads, and
//! the records that say which of them count.
//!
//! ```text
//! <store>/<segment>/as_of=2026-01-31/members.parquet   for everyone
//! <store>/_segql/snapshots/<segment>/2026-01-31.json   a snapshot's record
//! <store>/_segql/versions/<segment>/2026-01-31-<id>.parquet   the same file under its id
//! <store>/_segql/versions/<segment>/2026-01-31-<id>.json      the record of a restated one
//! <store>/_segql/staged/<id>.parquet                   not yet committed
//! <store>/_segql/locks/<segment>.lock                  held while one is replaced
//! <store>/_segql/runs/<run>.json                       a run's record
//! <store>/_segql/states/<key>…                         states of aggregates, kept to be resumed
//! <store>/_segql/frozen/<view>/…                       rows of frozen views
//! ```
//!
//! A snapshot's record is written last and is what counts: a file whose id no
//! record names is ignored. Every record's file also stands among the versions
//! under its id (a link, not a copy, on a local disk), so that between the moment
//! a new file takes its place and the moment its record is written the old record
//! still finds the old file, and two writers cannot take each other's away.
//!
//! Files and records come, move and go by single operations of the object store;
//! each is whole or not at all, and on the disk before the next. Locks, what is
//! swept up and the names that differ only in case are matters of the local file
//! system, which is the only one so far.

mod frozen;
mod layout;
mod lock;
mod record;
mod states;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use futures::TryStreamExt;

use crate::error::{Error, Result};

pub use frozen::FrozenRecord;
use layout::Layout;
pub use lock::SegmentLock;
pub use record::{
    Column, Inputs, NodeRecord, NodeStatus, Replayed, Reused, RunRecord, SharedRecord,
    SnapshotRecord,
};
pub use states::{Cleared, Kept, Part, Shard, ShardWriter, States, WrittenShard};
pub use write::{SnapshotWriter, Written};

/// A place for snapshots.
#[derive(Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    layout: Layout,
    /// A lock was asked for, and the file system had none.
    lacks_locks: AtomicBool,
    /// Removed with the store, when nobody named a place.
    temporary: Option<tempfile::TempDir>,
}

impl Store {
    /// A store in a folder; it is made when the first snapshot is written.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.exists() && !folder.is_dir() {
            return Err(Error::usage(format!(
                "the store '{}' is a file, not a folder",
                folder.display()
            )));
        }
        let root = layout::clean(&std::path::absolute(folder)?);
        Ok(Self {
            objects: Arc::new(LocalFileSystem::new()),
            layout: Layout::new(root),
            lacks_locks: AtomicBool::new(false),
            temporary: None,
        })
    }

    /// A store that lives as long as this value.
    pub fn temporary(parent: Option<&Path>) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("segql-");
        let folder = match parent {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let mut store = Self::open(folder.path())?;
        store.temporary = Some(folder);
        Ok(store)
    }

    /// Is it gone when the command ends?
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// States of aggregates that it keeps.
    pub fn states(&self) -> States {
        States::new(self.layout.states())
    }

    /// Where a snapshot's members are for everyone.
    pub fn members_path(&self, segment: &str, as_of: NaiveDate) -> PathBuf {
        self.layout.members(segment, as_of)
    }

    /// The record of the snapshot that counts.
    pub async fn snapshot(
        &self,
        segment: &str,
        as_of: NaiveDate,
    ) -> Result<Option<SnapshotRecord>> {
        // A damaged record (the power went) counts for nothing: it is made anew.
        let read = self.read_json(&self.layout.record(segment, as_of)).await;
        Ok(read.unwrap_or(None))
    }

    /// Every snapshot of a segment that counts, by date.
    pub async fn snapshots_of(&self, segment: &str) -> Result<Vec<SnapshotRecord>> {
        self.snapshots_in(&self.layout.records_of(segment)).await
    }

    /// Every snapshot that counts, by segment and date.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotRecord>> {
        self.snapshots_in(&self.layout.records()).await
    }

    async fn snapshots_in(&self, folder: &Path) -> Result<Vec<SnapshotRecord>> {
        let mut records: Vec<SnapshotRecord> = self.read_all(folder).await?;
        records.sort_by(|a, b| (&a.segment, a.as_of).cmp(&(&b.segment, b.as_of)));
        Ok(records)
    }

    /// Every run, oldest first.
    pub async fn runs(&self) -> Result<Vec<RunRecord>> {
        let mut records: Vec<RunRecord> = self.read_all(&self.layout.runs()).await?;
        records.sort_by(|a, b| a.run.cmp(&b.run));
        Ok(records)
    }

    /// Keeps the record of a run.
    pub async fn add_run(&self, record: &RunRecord) -> Result<()> {
        self.write_json(&self.layout.run(&record.run), record).await
    }

    /// The file that holds a snapshot: the one for everyone, or the version under
    /// its id while another is on its way.
    pub fn file(&self, record: &SnapshotRecord) -> Result<PathBuf> {
        let current = self.layout.members(&record.segment, record.as_of);
        let version = self
            .layout
            .version(&record.segment, record.as_of, &record.id);
        for path in [current, version] {
            if write::id_of(&path)?.as_deref() == Some(record.id.as_str()) {
                return Ok(path);
            }
        }
        Err(Error::new(format!(
            "the snapshot of {} as of {} is damaged: no file with the id of its record",
            record.segment, record.as_of
        ))
        .hint("segql run makes it anew"))
    }

    /// Removes what runs that were cut off left staged a day ago or earlier; a
    /// younger file may be another's work.
    pub fn sweep(&self, now: DateTime<Utc>) {
        let Ok(staged) = std::fs::read_dir(self.layout.staged_folder()) else {
            return;
        };
        for file in staged.flatten() {
            let modified = file.metadata().and_then(|meta| meta.modified());
            let is_old = modified
                .is_ok_and(|time| now - DateTime::<Utc>::from(time) > chrono::Duration::days(1));
            if is_old {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }

    /// Is the file for everyone the one that the record names?
    pub fn is_in_place(&self, record: &SnapshotRecord) -> bool {
        let current = self.layout.members(&record.segment, record.as_of);
        write::id_of(&current).is_ok_and(|id| id.as_deref() == Some(record.id.as_str()))
    }

    /// Says of a provisional snapshot that its day is over and nothing changed;
    /// none when another took its place since it was read.
    pub async fn finish_day(&self, record: &SnapshotRecord) -> Result<Option<SnapshotRecord>> {
        let _lock = self.lock(&record.segment).await?;
        let kept = self.snapshot(&record.segment, record.as_of).await?;
        let is_same =
            |kept: &SnapshotRecord| kept.id == record.id && kept.fingerprint == record.fingerprint;
        let Some(mut kept) = kept.filter(is_same) else {
            return Ok(None);
        };
        kept.provisional = false;
        let path = self.layout.record(&kept.segment, kept.as_of);
        self.write_json(&path, &kept).await?;
        Ok(Some(kept))
    }

    /// Waits until nobody else is about to replace a snapshot of this segment.
    pub async fn lock(&self, segment: &str) -> Result<SegmentLock> {
        let lock = SegmentLock::wait(&self.layout.lock(segment)).await?;
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
    pub fn writer(
        &self,
        schema: datafusion::arrow::datatypes::SchemaRef,
    ) -> Result<SnapshotWriter> {
        let staged = self.layout.staged();
        SnapshotWriter::new(Arc::clone(&self.objects), staged, schema)
    }

    /// Puts a written file in its place, then its record; what fails before that
    /// leaves nothing staged.
    pub async fn commit(&self, written: Written, record: &SnapshotRecord) -> Result<()> {
        let staged = at(written.path())?;
        let result = self.put_in_place(written, record).await;
        if result.is_err() {
            let _ = self.objects.delete(&staged).await;
        }
        result
    }

    /// Removes a written file that shall not become a snapshot.
    pub async fn discard(&self, written: Written) -> Result<()> {
        Ok(self.objects.delete(&at(written.path())?).await?)
    }

    /// Members that are written but not yet committed.
    pub fn staged_path<'w>(&self, written: &'w Written) -> &'w Path {
        written.path()
    }

    async fn put_in_place(&self, written: Written, record: &SnapshotRecord) -> Result<()> {
        let target = self.layout.members(&record.segment, record.as_of);
        let previous = self.snapshot(&record.segment, record.as_of).await?;
        self.refuse_other_case(&record.segment)?;
        written.sync().await?;
        // Every record has a file by its own id, whoever else renames meanwhile.
        let version = |id: &str| at(&self.layout.version(&record.segment, record.as_of, id));
        let staged = at(written.path())?;
        self.objects.copy(&staged, &version(&record.id)?).await?;
        let previous = previous.filter(|previous| previous.id != record.id);
        let restated = previous
            .as_ref()
            .filter(|previous| record.restates.as_ref() == Some(&previous.id));
        if let Some(previous) = restated {
            // What was said of a finished day stays readable, with its record.
            let kept = &previous.id;
            let path = self
                .layout
                .version_record(&record.segment, record.as_of, kept);
            self.write_json(&path, previous).await?;
        }
        self.objects.rename(&staged, &at(&target)?).await?;
        self.write_json(&self.layout.record(&record.segment, record.as_of), record)
            .await?;
        if let (Some(previous), None) = (&previous, restated)
            && !self
                .layout
                .version_record(&record.segment, record.as_of, &previous.id)
                .exists()
        {
            let _ = self.objects.delete(&version(&previous.id)?).await;
        }
        Ok(())
    }

    /// Two names that differ only in case would share a folder on some systems.
    fn refuse_other_case(&self, segment: &str) -> Result<()> {
        let own = layout::encode(segment);
        let Ok(entries) = std::fs::read_dir(self.root()) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != own && name.to_lowercase() == own.to_lowercase() {
                return Err(Error::new(format!(
                    "the store holds '{name}', which differs from '{own}' only in case"
                ))
                .hint("choose another name"));
            }
        }
        Ok(())
    }

    async fn read_all<T: serde::de::DeserializeOwned>(&self, folder: &Path) -> Result<Vec<T>> {
        let listed: Vec<_> = self
            .objects
            .list(Some(&at(folder)?))
            .try_collect()
            .await
            .map_err(|error| self.failed(error))?;
        let mut records = vec![];
        for meta in listed {
            let path = PathBuf::from(format!("/{}", meta.location));
            // A damaged record counts for nothing; the rest still does.
            if meta.location.extension() == Some("json")
                && let Ok(Some(record)) = self.read_json(&path).await
            {
                records.push(record);
            }
        }
        Ok(records)
    }

    async fn read_json<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        let bytes = match self.objects.get(&at(path)?).await {
            Ok(found) => found.bytes().await.map_err(|error| self.failed(error))?,
            Err(datafusion::object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::new(format!(
                "'{}' is no record of segql: {error}",
                path.display()
            ))
            .hint("remove it; segql run makes what is missing anew")
        })
    }

    async fn write_json(&self, path: &Path, record: &impl serde::Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(record)
            .map_err(|error| Error::new(format!("cannot write a record: {error}")))?;
        bytes.push(b'\n');
        self.objects
            .put(&at(path)?, PutPayload::from(bytes))
            .await
            .map_err(|error| self.failed(error))?;
        // What counts is on the disk before anything is said to be done.
        write::sync(path.to_owned()).await
    }

    fn failed(&self, error: datafusion::object_store::Error) -> Error {
        Error::from(error).context(format!("store '{}'", self.root().display()))
    }
}

fn at(path: &Path) -> Result<StorePath> {
    StorePath::from_absolute_path(path).map_err(|error| Error::new(error.to_string()))
}
