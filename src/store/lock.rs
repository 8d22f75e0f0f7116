//! One writer at a time for a segment's snapshots.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};

/// How long until it is asked again whether the lock is free.
const PAUSE: Duration = Duration::from_millis(20);

/// Held until dropped; the system ends it with the process, however that ends.
#[derive(Debug)]
pub struct SegmentLock {
    _file: File,
    is_held: bool,
}

impl SegmentLock {
    /// Waits for the lock.
    pub(super) async fn wait(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(format!("cannot write '{}': {error}", path.display()))
        };
        std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
        let file = File::create(path).map_err(failed)?;
        let is_held = loop {
            match file.try_lock() {
                Ok(()) => break true,
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(_)) => break false,
            }
        };
        Ok(Self {
            _file: file,
            is_held,
        })
    }

    /// False on a file system that has no locks.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }
}
