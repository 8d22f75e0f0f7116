//! `segql store rename`: a segment's snapshots, versions and records under a new name.
//!
//! First what is about to be done is noted; then every snapshot comes to its new place,
//! file before record, while the old one stays; when all are there, the old ones go. So
//! at any moment every snapshot is whole under one name or both, and a second call goes
//! on where the first was cut off.

use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{Error as StoreError, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::held::Held;
use super::place::Place;
use super::{SnapshotRecord, Store};
use crate::error::{Error, Result};

/// What a rename that is on its way is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rename {
    from: String,
    to: String,
}

impl Store {
    /// Gives the history of a segment another name; how many snapshots it has. `waits`
    /// is called when a run at work has to be waited for.
    pub async fn rename(&self, from: &str, to: &str, waits: impl FnOnce()) -> Result<u64> {
        let _lock = self.alone(waits).await?;
        let wanted = Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let note = self.layout.rename()?;
        let held = Held::read(self).await?;
        match self.read_json::<Rename>(&note).await? {
            Some(begun) if begun == wanted => {}
            Some(begun) => {
                return Err(Error::new(format!(
                    "a rename of {} to {} was cut off",
                    begun.from, begun.to
                ))
                .hint("the same command once more finishes it"));
            }
            None => {
                self.check_names(&held, from, to).await?;
                self.check_whole(&held, from).await?;
                self.write_json(&note, &wanted).await?;
            }
        }
        for ((_, as_of), versions) in held.versions.iter().filter(|(day, _)| day.0 == from) {
            for (version, _) in versions {
                self.copy_version(version, to).await?;
                let path = self.layout.version_record(to, *as_of, &version.id)?;
                self.write_json(&path, &renamed(version, to)).await?;
            }
        }
        for record in held.current.values().filter(|it| it.segment == from) {
            self.copy_snapshot(record, to).await?;
        }
        self.remove_renamed(&held, from).await?;
        self.remove(&self.layout.shown(&note)).await?;
        let all = self.snapshots_of(to).await?;
        Ok(all.len() as u64)
    }

    async fn check_names(&self, held: &Held, from: &str, to: &str) -> Result<()> {
        if to.is_empty() || to.contains(':') {
            return Err(
                Error::usage(format!("'{to}' cannot be the name of a segment")).hint(
                    "a name is not empty and has no ':', which parts a segmentation from its label",
                ),
            );
        }
        held.check_known(from)?;
        let same_case = |name: &&str| name.to_lowercase() == to.to_lowercase();
        match held.segments().into_iter().find(same_case) {
            None => self.refuse_other_case(to).await,
            Some(name) if name == to => Err(Error::new(format!(
                "the store has snapshots of '{to}' already"
            ))
            .hint("choose another name: two histories cannot become one")),
            Some(name) => Err(Error::new(format!(
                "the store holds '{name}', which differs from '{to}' only in case"
            ))
            .hint("choose another name, or go there by way of a third")),
        }
    }

    /// What cannot be read cannot be brought to its new place, and must not be lost.
    async fn check_whole(&self, held: &Held, from: &str) -> Result<()> {
        let hint = "segql store check says what is wrong, and what mends it";
        if let Some(as_of) = held.unreadable_day(from) {
            let message = format!("a record of {from} as of {as_of} cannot be read");
            return Err(Error::new(message).hint(hint));
        }
        for record in held.current.values().filter(|it| it.segment == from) {
            self.file(record).await?;
        }
        let versions = held.versions.values().flatten();
        for (version, _) in versions.filter(|(it, _)| it.segment == from) {
            let file = self.layout.version(from, version.as_of, &version.id)?;
            if !self.is_there(&file).await? {
                let file = self.layout.shown(&file);
                return Err(Error::new(format!("'{file}' is missing")).hint(hint));
            }
        }
        Ok(())
    }

    /// A version's file under the new name.
    async fn copy_version(&self, record: &SnapshotRecord, to: &str) -> Result<()> {
        let version = |name: &str| self.layout.version(name, record.as_of, &record.id);
        self.copy(&version(&record.segment)?, &version(to)?).await
    }

    /// As a run commits it: the file under its id, the file for everyone, the record.
    async fn copy_snapshot(&self, record: &SnapshotRecord, to: &str) -> Result<()> {
        let (file, as_of) = (self.file(record).await?.meta.location, record.as_of);
        let version = self.layout.version(to, as_of, &record.id)?;
        self.copy(&file, &version).await?;
        self.copy(&file, &self.layout.members(to, as_of)?).await?;
        let path = self.layout.record(to, as_of)?;
        self.write_json(&path, &renamed(record, to)).await
    }

    /// Where the same file has both names already, there is nothing to do.
    async fn copy(&self, from: &StorePath, to: &StorePath) -> Result<()> {
        if self.is_there(to).await? {
            return Ok(());
        }
        let copied = self.objects.copy(from, to).await;
        copied.map_err(|error| self.failed(error))
    }

    async fn is_there(&self, path: &StorePath) -> Result<bool> {
        match self.objects.head(path).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// What has the old name goes, records first: without them the rest does not count.
    async fn remove_renamed(&self, held: &Held, from: &str) -> Result<()> {
        let of_segment = |place: &Place| match place {
            Place::Record(segment, _) if segment == from => Some(0),
            Place::VersionRecord(segment, ..) if segment == from => Some(1),
            Place::Version(segment, ..) if segment == from => Some(2),
            Place::Members(segment, _) if segment == from => Some(3),
            _ => None,
        };
        let mut old = vec![];
        for entry in &held.entries {
            let Some(order) = of_segment(&entry.place) else {
                continue;
            };
            // A file that somebody else put there stays.
            let path = self.layout.at(&entry.file)?;
            if order < 3 || self.footer(&path).await?.is_some() {
                old.push((order, &entry.file));
            }
        }
        old.sort();
        for (_, file) in &old {
            self.remove(file).await?;
        }
        let root = self.address.folder();
        for (root, (_, file)) in root
            .into_iter()
            .flat_map(|root| old.iter().map(move |it| (root, it)))
        {
            // Folders that are empty now; others are not removed.
            let path = root.join(file);
            for folder in path.ancestors().skip(1).take(2).filter(|it| *it != root) {
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

fn renamed(record: &SnapshotRecord, to: &str) -> SnapshotRecord {
    SnapshotRecord {
        segment: to.to_owned(),
        ..record.clone()
    }
}
