//! What runs that were cut off left behind.

use chrono::{DateTime, Duration, Utc};
use datafusion::object_store::{ObjectMeta, ObjectStoreExt};
use futures::TryStreamExt;

use super::Store;

impl Store {
    /// Removes what runs that were cut off left staged a day ago or earlier; a
    /// younger file may be another's work. What cannot be removed is no harm.
    pub async fn sweep(&self, now: DateTime<Utc>) {
        let Ok(staged) = self.layout.staged_folder() else {
            return;
        };
        let is_old = |time: DateTime<Utc>| now - time > Duration::days(1);
        // Listed as an object store, a folder hides the files that were being written.
        if let Ok(Some(folder)) = self.local(&staged) {
            for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let modified = file.metadata().and_then(|meta| meta.modified());
                if modified.is_ok_and(|time| is_old(time.into())) {
                    let _ = std::fs::remove_file(file.path());
                }
            }
            return;
        }
        let listed = self.objects.list(Some(&staged)).try_collect().await;
        let listed: Vec<ObjectMeta> = listed.unwrap_or_default();
        for file in listed.iter().filter(|file| is_old(file.last_modified)) {
            let _ = self.objects.delete(&file.location).await;
        }
    }
}
