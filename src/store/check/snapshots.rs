//! Records of snapshots and versions, and the files that they name.

use chrono::NaiveDate;

use super::super::SnapshotRecord;
use super::super::intact::{FileRecord, Found};
use super::super::json::Reading;
use super::super::place::Entry;
use super::{Checker, Condition, run_again};
use crate::error::Result;

impl Checker<'_> {
    pub(super) async fn snapshot(
        &mut self,
        entry: &Entry,
        segment: &str,
        as_of: NaiveDate,
    ) -> Result<()> {
        self.recorded.insert((segment.to_owned(), as_of));
        let about = (segment, as_of);
        // A run at work may replace what is being looked at: what counts is what the
        // record of afterwards says.
        loop {
            let record = match self.read(entry, about).await? {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(()),
                Err(problem) => {
                    let mend = format!("remove it, then {}", run_again(about));
                    self.found(Condition::Damaged, Some(about), &entry.file, problem, mend);
                    return Ok(());
                }
            };
            let findings = self.check.findings.len();
            self.members(&record).await?;
            let is_new = self.check.findings.len() > findings;
            let now = self.read(entry, about).await?.ok().flatten();
            if is_new && now.is_some_and(|now| now.id != record.id) {
                self.check.findings.truncate(findings);
                continue;
            }
            self.check.snapshots += 1;
            self.name(about, record.id);
            return Ok(());
        }
    }

    /// The record of a snapshot or version, or what is wrong with it.
    async fn read(
        &self,
        entry: &Entry,
        about: (&str, NaiveDate),
    ) -> Result<std::result::Result<Option<SnapshotRecord>, &'static str>> {
        let path = self.store.layout.at(&entry.file)?;
        Ok(
            match self.store.read_record::<SnapshotRecord>(&path).await? {
                Reading::Missing => Ok(None),
                Reading::Damaged => Err("is no record of a snapshot"),
                Reading::Whole(record) if (record.segment.as_str(), record.as_of) != about => {
                    Err("is the record of another snapshot")
                }
                Reading::Whole(record) => Ok(Some(record)),
            },
        )
    }

    fn name(&mut self, (segment, as_of): (&str, NaiveDate), id: String) {
        let named = self.named.entry((segment.to_owned(), as_of)).or_default();
        named.insert(id);
    }

    /// The file for everyone, and the one under its id.
    async fn members(&mut self, record: &SnapshotRecord) -> Result<()> {
        let about = (record.segment.as_str(), record.as_of);
        let layout = &self.store.layout;
        let path = layout.members(&record.segment, record.as_of)?;
        let version = layout.version(&record.segment, record.as_of, &record.id)?;
        let named = &FileRecord::from(record);
        let copy = self.store.inspect(&version, named).await?;
        let found = self.store.inspect(&path, named).await?;
        let (file, version) = (layout.shown(&path), layout.shown(&version));
        if found == Found::Sound && !matches!(copy, Found::Sound | Found::Missing) {
            let problem = "is not what its record says; the file for everyone is whole";
            let mend = "remove it".to_owned();
            self.found(Condition::Damaged, Some(about), &version, problem, mend);
        }
        if let Some((condition, problem, mend)) = judge(found, &copy, &run_again(about)) {
            self.found(condition, Some(about), &file, problem, mend);
        }
        Ok(())
    }

    /// A restated version: nothing but its own file can bring it back.
    pub(super) async fn version(
        &mut self,
        entry: &Entry,
        about: (&str, NaiveDate),
        id: &str,
    ) -> Result<()> {
        let mend = "nothing brings it back; removing it leaves the snapshot that counts as it is";
        let damaged = Condition::Damaged;
        let record = match self.read(entry, about).await? {
            Ok(Some(record)) if record.id == id => record,
            Ok(None) => return Ok(()),
            Ok(Some(_)) | Err(_) => {
                let problem = "is not the record of this version";
                self.found(damaged, Some(about), &entry.file, problem, mend.to_owned());
                return Ok(());
            }
        };
        self.check.versions += 1;
        self.name(about, id.to_owned());
        let path = self.store.layout.version(about.0, about.1, id)?;
        let problem = match self
            .store
            .inspect(&path, &FileRecord::from(&record))
            .await?
        {
            Found::Sound => return Ok(()),
            Found::Missing => "is missing".to_owned(),
            Found::Wrong(problem) => problem,
            Found::Other | Found::Foreign => "is not what its record says".to_owned(),
        };
        let mend = format!("{mend} (with its record)");
        let file = self.store.layout.shown(&path);
        self.found(damaged, Some(about), &file, problem, mend);
        Ok(())
    }
}

/// What is wrong with a file for everyone, by what is there and by its version, and
/// whether `again` mends it.
fn judge(found: Found, version: &Found, again: &str) -> Option<(Condition, String, String)> {
    let anew = || format!("remove it, then {again}");
    let (problem, mend) = match (found, version) {
        (Found::Sound, _) => return None,
        (Found::Other, Found::Sound) => {
            let problem = "is of a run that was cut off, or is at work: no record names it, and \
                           readers within segql see the version that counts";
            let mend = format!("{again} puts the right one there");
            return Some((Condition::Leftover, problem.to_owned(), mend));
        }
        (Found::Missing, Found::Sound) => (
            "is missing; its version in _segql is whole".to_owned(),
            format!("{again} puts it back"),
        ),
        (Found::Missing, _) => ("is missing".to_owned(), format!("{again} makes it anew")),
        (Found::Wrong(problem), _) => (problem, anew()),
        (Found::Other | Found::Foreign, _) => {
            ("is not the file that its record names".to_owned(), anew())
        }
    };
    Some((Condition::Damaged, problem, mend))
}
