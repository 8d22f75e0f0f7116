//! What no record names, records of runs, and the proof.

use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::path::Path as StorePath;

use super::super::person::{Person, without};
use super::super::place::{Entry, Place};
use super::super::{SnapshotRecord, Store};
use super::{Erased, Erasing, Forgotten};
use crate::error::{Error, Result};

impl Erasing<'_> {
    /// What runs and erasures that were cut off left may hold anybody, whole or not. They
    /// go before anything is written: a file that is called by its content may be written
    /// again, and then counts.
    pub(super) async fn leftover(&mut self, entry: &Entry) -> Result<()> {
        let is_left = match &entry.place {
            Place::Staged | Place::HalfWritten => true,
            Place::Version(segment, as_of, id) => !self.held.names(segment, *as_of, id),
            Place::Frozen => !entry.file.ends_with(".json") && !self.held.names_frozen(&entry.file),
            _ => false,
        };
        if !is_left {
            return Ok(());
        }
        self.done.leftovers += 1;
        match self.dry_run {
            true => Ok(()),
            false => self.store.remove(&entry.file).await,
        }
    }

    /// What is neither a snapshot that counts nor a version of one.
    pub(super) async fn rest(&mut self, entry: &Entry) -> Result<()> {
        match &entry.place {
            Place::Frozen => self.frozen(entry).await,
            Place::Members(segment, as_of) => {
                let record = self.store.snapshot(segment, *as_of).await?;
                let path = self.store.layout.at(&entry.file)?;
                let id = self.store.footer(&path).await?.map(|(_, id)| id);
                if id.is_none() || id == record.as_ref().map(|it| it.id.clone()) {
                    return Ok(());
                }
                let about = Some((segment.as_str(), *as_of));
                let holds = self.holds("members", about, &path, record.as_ref()).await;
                match holds && !self.dry_run {
                    true => self.rewrite_in_place(&path, record.as_ref()).await,
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    async fn rewrite_in_place(
        &self,
        path: &StorePath,
        record: Option<&SnapshotRecord>,
    ) -> Result<()> {
        let store = self.store;
        let mut others = store.others(self.person, path, record).await?;
        let mut writer = store.writer(others.schema.clone())?;
        while let Some((rest, _)) = others.next().await? {
            writer.write(rest).await?;
        }
        let written = writer.finish(&others.definition).await?;
        store.sync(written.path()).await?;
        let renamed = store.objects.rename(written.path(), path).await;
        renamed.map_err(|error| store.failed(error))
    }

    /// Messages of runs show keys.
    pub(super) async fn runs(&mut self) -> Result<()> {
        for (run, entry) in &self.held.runs {
            let mut run = run.clone();
            let reasons = run.nodes.iter_mut().filter_map(|node| node.reason.as_mut());
            let texts = reasons.chain(run.shared.iter_mut().map(|shared| &mut shared.what));
            let mut rows = 0;
            for text in texts {
                if let Some(rest) = without(text, self.person.key) {
                    *text = rest;
                    rows += 1;
                }
            }
            if rows == 0 {
                continue;
            }
            self.done.erased.push(Erased {
                what: "run",
                segment: None,
                as_of: Some(run.as_of),
                file: entry.file.clone(),
                rows,
            });
            if !self.dry_run {
                let path = self.store.layout.at(&entry.file)?;
                self.store.write_json(&path, &run).await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Looks for the person once more, in every Parquet file below the store.
    pub(super) async fn prove(&self, person: &Person<'_>, done: &mut Forgotten) -> Result<()> {
        let mut left = vec![];
        for Entry { file, place, .. } in self.entries().await? {
            let is_ours = place != Place::Foreign;
            let Ok(path) = self.layout.at(&file) else {
                continue;
            };
            if !file.to_lowercase().ends_with(".parquet") {
                continue;
            }
            let record = self.record_of(&place).await?;
            match self.count_rows(person, &path, record.as_ref()).await {
                Ok(0) => {}
                Ok(_) if is_ours => left.push(file),
                Ok(_) => {
                    done.foreign.insert(file);
                }
                Err(_) if is_ours => {
                    done.unread.insert(file);
                }
                Err(_) => {}
            }
        }
        match left.first() {
            None => Ok(()),
            Some(first) => Err(Error::new(format!(
                "{} files of the store still hold the person, '{first}' among them",
                left.len()
            ))
            .hint("segql store check says what is wrong with them")),
        }
    }

    /// A record that says which column of a file is its key.
    async fn record_of(&self, place: &Place) -> Result<Option<SnapshotRecord>> {
        match place {
            Place::Members(segment, as_of) => self.snapshot(segment, *as_of).await,
            Place::Version(segment, as_of, id) => {
                let path = self.layout.version_record(segment, *as_of, id)?;
                match self.read_json(&path).await? {
                    Some(record) => Ok(Some(record)),
                    None => self.snapshot(segment, *as_of).await,
                }
            }
            _ => Ok(None),
        }
    }
}
