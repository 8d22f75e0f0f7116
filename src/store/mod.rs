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
//! <store>/_segql/locks/_store.lock                     held by runs together, or by who tidies alone
//! <store>/_segql/rename.json                           a rename that is on its way
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
//! A store is a folder of this machine or below a prefix of a bucket. Files and records
//! come, move and go by single operations of the object store; each is whole or not at
//! all, and on the disk before the next. What differs is how two writers are kept apart
//! (`lock.rs`, `commit.rs`); and states are kept in folders only.

mod address;
mod alone;
mod bucket;
mod check;
mod commit;
mod footer;
mod forget;
mod frozen;
mod held;
mod intact;
mod json;
mod keep;
mod layout;
mod lock;
mod pages;
mod person;
mod place;
mod prune;
mod record;
mod rename;
mod states;
mod sweep;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::NaiveDate;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};

pub use address::Address;
pub use check::{Condition, Finding, StoreCheck};
pub use commit::Committed;
pub use forget::{Erased, Forgotten};
pub use frozen::FrozenRecord;
pub use keep::Keep;
use layout::Layout;
pub use lock::{SegmentLock, StoreLock};
pub use person::Person;
pub use prune::{Prune, Removed};
pub use record::{
    Column, Inputs, NodeRecord, NodeStatus, Replayed, Reused, RunRecord, SharedRecord,
    SnapshotRecord,
};
pub use states::{Cleared, Kept, Part, Shard, ShardWriter, States, WrittenShard};
pub use write::{SnapshotWriter, Written};

/// A place for snapshots.
#[derive(Debug)]
pub struct Store {
    address: Address,
    objects: Arc<dyn ObjectStore>,
    /// By which sessions know the object store.
    url: ObjectStoreUrl,
    layout: Layout,
    /// A lock was asked for, and there was none to be had.
    lacks_locks: AtomicBool,
    /// Removed with the store, when nobody named a place.
    temporary: Option<tempfile::TempDir>,
}

/// A file of a store, as a session finds it.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The object store that holds it.
    pub within: ObjectStoreUrl,
    /// Its place in there, its size and time.
    pub meta: ObjectMeta,
}

impl Store {
    /// A store in a folder, which is made when the first snapshot is written, or in a
    /// bucket. Nothing is looked up yet.
    pub fn open(address: impl Into<Address>) -> Result<Self> {
        let (address, objects, url, root) = match address.into() {
            Address::Folder(folder) => {
                let folder = checked(&folder)?;
                let root = StorePath::from_absolute_path(&folder)
                    .map_err(|error| Error::usage(format!("store: {error}")))?;
                let objects = Arc::new(LocalFileSystem::new()) as Arc<dyn ObjectStore>;
                let url = ObjectStoreUrl::local_filesystem();
                (Address::Folder(folder), objects, url, root)
            }
            Address::Bucket { bucket, prefix } => {
                let objects = bucket::open(&bucket)?;
                let url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
                let root = prefix.clone();
                (Address::Bucket { bucket, prefix }, objects, url, root)
            }
        };
        Ok(Self {
            address,
            objects,
            url,
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

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What a session has to know to read from it, unless it is in a folder.
    pub fn bucket(&self) -> Option<(ObjectStoreUrl, Arc<dyn ObjectStore>)> {
        match &self.address {
            Address::Folder(_) => None,
            Address::Bucket { .. } => Some((self.url.clone(), Arc::clone(&self.objects))),
        }
    }

    /// Asks for a bucket, so that what is wrong with it is said once, before any work.
    pub async fn reach(&self) -> Result<()> {
        match self.address.folder() {
            Some(_) => Ok(()),
            None => self.folders().await.map(drop),
        }
    }

    /// States of aggregates that it keeps; none in a bucket.
    pub fn states(&self) -> Option<States> {
        let folder = self.layout.states().and_then(|it| self.local(&it));
        folder.ok().flatten().map(States::new)
    }

    /// Where a snapshot's members are for everyone: a path, or a URL.
    pub fn members_path(&self, segment: &str, as_of: NaiveDate) -> Result<String> {
        self.told(&self.layout.members(segment, as_of)?)
    }

    /// A path of the file system, or a URL.
    fn told(&self, path: &StorePath) -> Result<String> {
        Ok(match self.local(path)? {
            Some(path) => path.display().to_string(),
            None => format!("{}{path}", self.url),
        })
    }

    /// The record of the snapshot that counts.
    pub async fn snapshot(
        &self,
        segment: &str,
        as_of: NaiveDate,
    ) -> Result<Option<SnapshotRecord>> {
        self.read_json(&self.layout.record(segment, as_of)?).await
    }

    /// Every snapshot of a segment that counts, by date.
    pub async fn snapshots_of(&self, segment: &str) -> Result<Vec<SnapshotRecord>> {
        self.snapshots_in(&self.layout.records_of(segment)?).await
    }

    /// Every snapshot that counts, by segment and date.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotRecord>> {
        self.snapshots_in(&self.layout.records()?).await
    }

    async fn snapshots_in(&self, folder: &StorePath) -> Result<Vec<SnapshotRecord>> {
        let mut records: Vec<SnapshotRecord> = self.read_all(folder).await?;
        records.sort_by(|a, b| (&a.segment, a.as_of).cmp(&(&b.segment, b.as_of)));
        Ok(records)
    }

    /// Every run, oldest first.
    pub async fn runs(&self) -> Result<Vec<RunRecord>> {
        let mut records: Vec<RunRecord> = self.read_all(&self.layout.runs()?).await?;
        records.sort_by(|a, b| a.run.cmp(&b.run));
        Ok(records)
    }

    /// Keeps the record of a run.
    pub async fn add_run(&self, record: &RunRecord) -> Result<()> {
        let path = self.layout.run(&record.run)?;
        self.write_json(&path, record).await
    }

    /// The file that holds a snapshot: the version under its id, which nobody
    /// replaces, or else the one for everyone.
    pub async fn file(&self, record: &SnapshotRecord) -> Result<StoredFile> {
        let found = self.find(record).await?;
        found.ok_or_else(|| {
            Error::new(format!(
                "the snapshot of {} as of {} is damaged: no file with the id of its record",
                record.segment, record.as_of
            ))
            .hint("segql run makes it anew")
        })
    }

    /// The file that holds a snapshot, unless it is damaged.
    pub async fn find(&self, record: &SnapshotRecord) -> Result<Option<StoredFile>> {
        let version = self
            .layout
            .version(&record.segment, record.as_of, &record.id)?;
        let current = self.layout.members(&record.segment, record.as_of)?;
        for path in [version, current] {
            if let Some((meta, id)) = self.footer(&path).await?
                && id == record.id
            {
                return Ok(Some(self.stored(meta)));
            }
        }
        Ok(None)
    }

    /// Is the file for everyone the one that the record names?
    pub async fn is_in_place(&self, record: &SnapshotRecord) -> Result<bool> {
        let current = self.layout.members(&record.segment, record.as_of)?;
        let found = self.footer(&current).await?;
        Ok(found.is_some_and(|(_, id)| id == record.id))
    }

    /// Members that are written but not yet committed.
    pub async fn staged_file(&self, written: &Written) -> Result<StoredFile> {
        let meta = self.objects.head(written.path()).await;
        Ok(self.stored(meta.map_err(|error| self.failed(error))?))
    }

    fn stored(&self, meta: ObjectMeta) -> StoredFile {
        let within = self.url.clone();
        StoredFile { within, meta }
    }

    /// A file and the id in its footer; none when it is not there or none of ours.
    async fn footer(&self, path: &StorePath) -> Result<Option<(ObjectMeta, String)>> {
        match footer::read(self.objects.as_ref(), path).await {
            Ok(found) => Ok(found),
            // What cannot be read from a disk is damaged; a bucket may be out of reach.
            Err(error) if json::is_missing(&error) => Ok(None),
            Err(_) if self.address.folder().is_some() => Ok(None),
            Err(error) if is_empty_file(&error) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// A path of the file system, for a store in a folder.
    fn local(&self, path: &StorePath) -> Result<Option<PathBuf>> {
        match &self.address {
            Address::Bucket { .. } => Ok(None),
            Address::Folder(_) => {
                let path = LocalFileSystem::new().path_to_filesystem(path);
                Ok(Some(path.map_err(|error| self.failed(error))?))
            }
        }
    }
}

/// The end of nothing cannot be asked for.
fn is_empty_file(error: &StoreError) -> bool {
    error.to_string().contains("416 Range Not Satisfiable")
}

/// A folder's absolute path, if it can be one.
fn checked(folder: &Path) -> Result<PathBuf> {
    if folder.exists() && !folder.is_dir() {
        return Err(Error::usage(format!(
            "the store '{}' is a file, not a folder",
            folder.display()
        )));
    }
    Ok(layout::clean(&std::path::absolute(folder)?))
}
