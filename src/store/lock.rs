//! What keeps two writers of a snapshot apart: in a folder a lock, in an object store
//! that a record is only replaced while it is the one that was looked at. And what keeps
//! everybody away while a store in a folder is tidied as a whole.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use datafusion::object_store::{ObjectMeta, PutMode, UpdateVersion};

use crate::error::{Error, Result};

/// How long until it is asked again whether the lock is free.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// Held until dropped; the system ends it with the process, however that ends.
#[derive(Debug)]
pub struct SegmentLock(Held);

#[derive(Debug)]
enum Held {
    /// The locked file; none where the file system has no locks.
    Lock(Option<File>),
    /// How the record may be put: in place of the one that was there, or where none was.
    Seen(PutMode),
}

impl SegmentLock {
    /// Waits for the lock.
    pub(super) async fn wait(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(format!("cannot write '{}': {error}", path.display()))
        };
        let file = open(path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(Held::Lock(Some(file)))),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(_)) => return Ok(Self(Held::Lock(None))),
            }
        }
    }

    /// Notes which record is there.
    pub(super) fn seen(record: Option<ObjectMeta>) -> Self {
        let mode = match record {
            None => PutMode::Create,
            Some(meta) => PutMode::Update(UpdateVersion {
                e_tag: meta.e_tag,
                version: meta.version,
            }),
        };
        Self(Held::Seen(mode))
    }

    /// False on a file system that has no locks.
    pub(super) fn is_held(&self) -> bool {
        !matches!(self.0, Held::Lock(None))
    }

    /// How a record may be put.
    pub(super) fn mode(&self) -> PutMode {
        match &self.0 {
            Held::Lock(_) => PutMode::Overwrite,
            Held::Seen(mode) => mode.clone(),
        }
    }
}

/// Held by a run while it works, with other runs; or by one who tidies the store, alone.
#[derive(Debug)]
pub struct StoreLock {
    /// None where there are no locks, or none can be written.
    file: Option<File>,
}

impl StoreLock {
    /// Where nothing can be locked.
    pub(super) fn none() -> Self {
        Self { file: None }
    }

    /// Waits until nobody tidies the store. Where there is no lock to be had the run
    /// goes on: whatever else stands in its way is told by what it writes.
    pub(super) async fn shared(path: &Path) -> Self {
        let file = open(path).ok();
        if let Some(file) = &file {
            while let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Self { file }
    }

    /// The lock if nobody is at work; none when somebody is.
    pub(super) fn alone(path: &Path) -> Result<Option<Self>> {
        let file = open(path)
            .map_err(|error| Error::new(format!("cannot write '{}': {error}", path.display())))?;
        Ok(match file.try_lock() {
            Ok(()) => Some(Self { file: Some(file) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Self::none()),
        })
    }

    /// False where there are no locks.
    pub(super) fn is_held(&self) -> bool {
        self.file.is_some()
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    File::create(path)
}
