//! Snapshots and their versions, day by day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::path::Path as StorePath;

use super::super::held::Held;
use super::super::person::{Person, without};
use super::super::{Committed, SnapshotRecord, Store, Written};
use super::Erasing;
use crate::error::{Error, Result};

impl Erasing<'_> {
    /// The versions of a day, the snapshot that counts, and then what they replace: cut
    /// off in between, a second call finds the old ones and goes on.
    pub(super) async fn day(&mut self, day: &(String, NaiveDate)) -> Result<()> {
        let (store, held): (&Store, &Held) = (self.store, self.held);
        let about = Some((day.0.as_str(), day.1));
        let versions = held.versions.get(day).into_iter().flatten();
        let mut versions: Vec<SnapshotRecord> = versions.map(|(it, _)| it.clone()).collect();
        // Old ids and those that take their places.
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for version in &mut versions {
            self.note_mentioned(version);
            let path = store.layout.version(&day.0, day.1, &version.id)?;
            let holds = self.holds("version", about, &path, Some(version)).await;
            if !holds || self.dry_run {
                continue;
            }
            let before = version.id.clone();
            let written = store.rewrite(self.person, &path, version).await?;
            store.put_version(written, version).await?;
            ids.insert(before, version.id.clone());
        }
        for version in &mut versions {
            if point(version, &ids) {
                let path = store.layout.version_record(&day.0, day.1, &version.id)?;
                store.write_json(&path, version).await?;
            }
        }
        if let Some(current) = held.current.get(day) {
            self.current(current.clone(), &ids).await?;
        }
        for old in ids.keys() {
            store.remove_version(day, old).await?;
        }
        Ok(())
    }

    async fn current(
        &mut self,
        mut record: SnapshotRecord,
        ids: &BTreeMap<String, String>,
    ) -> Result<()> {
        let store: &Store = self.store;
        self.note_mentioned(&record);
        let (segment, as_of) = (record.segment.clone(), record.as_of);
        let members = store.layout.members(&segment, as_of)?;
        let Some(file) = store.find(&record).await? else {
            self.done.unread.insert(store.layout.shown(&members));
            return Ok(());
        };
        let path = file.meta.location;
        let about = Some((segment.as_str(), as_of));
        let holds = self.holds("snapshot", about, &path, Some(&record)).await;
        if let Some(erased) = self.done.erased.last_mut().filter(|_| holds) {
            // It stands there under two names; this is the one that people know.
            erased.file = store.layout.shown(&members);
        }
        if self.dry_run {
            return Ok(());
        }
        let pointed = point(&mut record, ids);
        if holds {
            let written = store.rewrite(self.person, &path, &mut record).await?;
            if record.restates.as_ref() == Some(&record.id) {
                // They differed in the person alone.
                record.restates = None;
            }
            store.replace(written, &record).await?;
        } else if pointed {
            let path = store.layout.record(&segment, as_of)?;
            store.write_json(&path, &record).await?;
        }
        Ok(())
    }

    /// The texts of definitions are the project's: they can be told of, not mended.
    fn note_mentioned(&mut self, record: &SnapshotRecord) {
        let mut texts = record.definitions.values().chain(record.variables.values());
        if texts.any(|text| without(text, self.person.key).is_some()) {
            self.done.mentioned.insert(record.segment.clone());
        }
    }
}

/// Names what it restates by its new id; did it have another?
fn point(record: &mut SnapshotRecord, ids: &BTreeMap<String, String>) -> bool {
    let new = record.restates.as_ref().and_then(|it| ids.get(it)).cloned();
    let is_new = new.is_some();
    record.restates = new.or(record.restates.take());
    is_new
}

impl Store {
    /// The rows of a file without the person, written but not yet in their place; the
    /// record says what they are now.
    async fn rewrite(
        &self,
        person: &Person<'_>,
        path: &StorePath,
        record: &mut SnapshotRecord,
    ) -> Result<Written> {
        let mut others = self.others(person, path, Some(record)).await?;
        let mut writer = self.writer(others.schema.clone())?;
        while let Some((rest, theirs)) = others.next().await? {
            take_labels(record, &theirs)?;
            writer.write(rest).await?;
        }
        let written = writer.finish(&others.definition).await?;
        record.id = written.id.clone();
        record.rows = written.rows;
        record.forgotten += 1;
        Ok(written)
    }

    /// A snapshot without the person, in the place of the one with them.
    async fn replace(&self, written: Written, record: &SnapshotRecord) -> Result<()> {
        let (segment, as_of) = (&record.segment, record.as_of);
        let lock = self.lock(segment, as_of).await?;
        match self.commit(&lock, written, record).await? {
            Committed::Done => Ok(()),
            Committed::Overtaken(written) => {
                self.discard(written).await?;
                Err(Error::new(format!(
                    "a run replaced the snapshot of {segment} as of {as_of} meanwhile"
                ))
                .hint("the same command once more erases what is left"))
            }
        }
    }

    /// A version and then its record, unless there is one already that is the same but
    /// for the person.
    async fn put_version(&self, written: Written, record: &SnapshotRecord) -> Result<()> {
        let (segment, as_of) = (&record.segment, record.as_of);
        let path = self.layout.version_record(segment, as_of, &record.id)?;
        if self.read_json::<SnapshotRecord>(&path).await?.is_some() {
            return self.discard(written).await;
        }
        self.sync(written.path()).await?;
        let version = self.layout.version(segment, as_of, &record.id)?;
        let renamed = self.objects.rename(written.path(), &version).await;
        renamed.map_err(|error| self.failed(error))?;
        self.write_json(&path, record).await
    }

    /// Removes the record of a version, and its file unless that counts.
    async fn remove_version(&self, (segment, as_of): &(String, NaiveDate), id: &str) -> Result<()> {
        let record = self.layout.version_record(segment, *as_of, id)?;
        self.remove(&self.layout.shown(&record)).await?;
        let current = self.snapshot(segment, *as_of).await?;
        if current.is_some_and(|current| current.id == id) {
            return Ok(());
        }
        let members = self.layout.version(segment, *as_of, id)?;
        self.remove(&self.layout.shown(&members)).await
    }
}

/// Labels lose the person's rows; one without any is not named, as when computed.
fn take_labels(record: &mut SnapshotRecord, theirs: &RecordBatch) -> Result<()> {
    let Some(column) = record
        .label
        .as_ref()
        .and_then(|it| theirs.column_by_name(it))
    else {
        return Ok(());
    };
    let labels = cast(column, &DataType::Utf8)?;
    for label in labels.as_string::<i32>().iter().flatten() {
        if let Some(count) = record.labels.get_mut(label) {
            *count = count.saturating_sub(1);
        }
    }
    record.labels.retain(|_, count| *count > 0);
    Ok(())
}
