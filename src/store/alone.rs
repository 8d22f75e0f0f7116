//! Every file of a store, and the store for oneself while it is tidied.

use std::path::Path;

use datafusion::object_store::{Error as StoreError, ObjectStoreExt};
use futures::TryStreamExt;

use super::lock::PAUSE;
use super::place::{Entry, Place, walk};
use super::{Store, StoreLock};
use crate::error::{Error, Result};

impl Store {
    /// Held by a run while it works, so that nobody tidies the store under its hands.
    pub async fn at_work(&self) -> StoreLock {
        let path = self.layout.store_lock().and_then(|it| self.local(&it));
        match path {
            Ok(Some(path)) => StoreLock::shared(&path).await,
            _ => StoreLock::none(),
        }
    }

    /// The store while nobody else works in it; `waits` is called when somebody does.
    /// In a bucket nothing can be locked.
    pub async fn alone(&self, waits: impl FnOnce()) -> Result<StoreLock> {
        let Some(path) = self.local(&self.layout.store_lock()?)? else {
            return Ok(StoreLock::none());
        };
        if let Some(lock) = StoreLock::alone(&path)? {
            return Ok(lock);
        }
        waits();
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Some(lock) = StoreLock::alone(&path)? {
                return Ok(lock);
            }
        }
    }

    /// The store for oneself if nobody happens to work in it; else, or where nothing can
    /// be written, a lock that is not held.
    pub(super) fn alone_now(&self) -> StoreLock {
        let path = self.layout.store_lock().and_then(|it| self.local(&it));
        let lock = match path {
            Ok(Some(path)) => StoreLock::alone(&path).ok().flatten(),
            _ => None,
        };
        lock.unwrap_or_else(StoreLock::none)
    }

    /// Every file, in the order of their names.
    pub(super) async fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = match self.address.folder() {
            // Listed as an object store, a folder hides the files that were being written.
            Some(folder) => walk(folder)?,
            None => {
                let root = Some(self.layout.root()).filter(|root| !root.is_root());
                let listed = self.objects.list(root).try_collect::<Vec<_>>().await;
                let listed = listed.map_err(|error| self.failed(error))?;
                let entries = listed.into_iter().map(|meta| {
                    let file = self.layout.shown(&meta.location);
                    Entry {
                        place: Place::of(&file),
                        file,
                        bytes: meta.size,
                        modified: meta.last_modified,
                    }
                });
                entries.collect()
            }
        };
        entries.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(entries)
    }

    /// Removes a file by its name below the root, if it is still there.
    pub(super) async fn remove(&self, file: &str) -> Result<()> {
        // What was half written has a name that object stores keep for themselves.
        let hidden = self.address.folder().filter(|_| file.contains('#'));
        let result = match hidden {
            Some(folder) => remove_hidden(&folder.join(file)),
            None => match self.objects.delete(&self.layout.at(file)?).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
                Err(error) => Err(Error::from(error)),
            },
        };
        result.map_err(|error| error.context(format!("cannot remove '{file}' of the store")))
    }
}

fn remove_hidden(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
