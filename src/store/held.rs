//! All that a store holds, for whoever tidies it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::intact::FileRecord;
use super::json::Reading;
use super::place::{Entry, Place};
use super::{RunRecord, SnapshotRecord, Store};
use crate::error::{Error, Result, suggest};

/// Snapshots, versions and what belongs to them, by segment and date.
pub(super) type ByDay<T> = BTreeMap<(String, NaiveDate), T>;

/// What the store holds, as far as it matters here.
#[derive(Default)]
pub(super) struct Held {
    pub(super) entries: Vec<Entry>,
    pub(super) current: ByDay<SnapshotRecord>,
    /// Restated versions with the time at which another took their place.
    pub(super) versions: ByDay<Vec<(SnapshotRecord, DateTime<Utc>)>>,
    /// Days whose record cannot be read: which of their versions counts nobody knows.
    unknown: BTreeSet<(String, NaiveDate)>,
    pub(super) runs: Vec<(RunRecord, Entry)>,
    /// Rows of frozen views that a record names.
    frozen: BTreeSet<String>,
    /// Folders of frozen views with a record that cannot be read.
    unknown_frozen: BTreeSet<String>,
}

impl Held {
    /// Reads all records.
    pub(super) async fn read(store: &Store) -> Result<Self> {
        let mut held = Self {
            entries: store.entries().await?,
            ..Self::default()
        };
        for entry in held.entries.clone() {
            held.add(store, entry).await?;
        }
        held.find_times();
        Ok(held)
    }

    async fn add(&mut self, store: &Store, entry: Entry) -> Result<()> {
        let path = store.layout.at(&entry.file);
        match entry.place.clone() {
            Place::Record(segment, as_of) => match store.read_record(&path?).await? {
                Reading::Whole(record) => {
                    self.current.insert((segment, as_of), record);
                }
                Reading::Missing => {}
                Reading::Damaged => {
                    self.unknown.insert((segment, as_of));
                }
            },
            Place::VersionRecord(segment, as_of, _) => match store.read_record(&path?).await? {
                Reading::Whole(record) => {
                    let day = self.versions.entry((segment, as_of)).or_default();
                    day.push((record, entry.modified));
                }
                Reading::Missing => {}
                Reading::Damaged => {
                    self.unknown.insert((segment, as_of));
                }
            },
            Place::Frozen => self.add_frozen(store, &entry).await?,
            Place::Run => {
                if let Some(record) = store.read_json::<RunRecord>(&path?).await? {
                    self.runs.push((record, entry));
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn add_frozen(&mut self, store: &Store, entry: &Entry) -> Result<()> {
        let Some((folder, name)) = entry.file.rsplit_once('/') else {
            return Ok(());
        };
        if !name.ends_with(".json") {
            return Ok(());
        }
        match store
            .read_record::<FileRecord>(&store.layout.at(&entry.file)?)
            .await?
        {
            Reading::Whole(record) => {
                self.frozen
                    .insert(format!("{folder}/{}.parquet", record.id));
            }
            Reading::Missing => {}
            Reading::Damaged => {
                self.unknown_frozen.insert(folder.to_owned());
            }
        }
        Ok(())
    }

    /// Does a record name these rows of a frozen view?
    pub(super) fn names_frozen(&self, file: &str) -> bool {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.frozen.contains(file) || self.unknown_frozen.contains(folder)
    }

    /// A version was replaced when what restates it was begun; where that is gone as
    /// well, when its record was written.
    fn find_times(&mut self) {
        for (day, versions) in &mut self.versions {
            let current = self.current.get(day);
            let others: Vec<(Option<String>, DateTime<Utc>)> = versions
                .iter()
                .map(|(it, _)| it)
                .chain(current)
                .map(|it| (it.restates.clone(), it.started))
                .collect();
            for (version, time) in versions.iter_mut() {
                let restating = others
                    .iter()
                    .filter(|(restates, _)| restates.as_ref() == Some(&version.id));
                *time = restating.map(|(_, at)| *at).max().unwrap_or(*time);
            }
            versions.sort_by(|(a, a_time), (b, b_time)| {
                b_time.cmp(a_time).then_with(|| a.id.cmp(&b.id))
            });
        }
    }

    /// Does a record name this version?
    pub(super) fn names(&self, segment: &str, as_of: NaiveDate, id: &str) -> bool {
        let day = (segment.to_owned(), as_of);
        let versions = self.versions.get(&day).into_iter().flatten();
        self.unknown.contains(&day)
            || self.current.get(&day).is_some_and(|it| it.id == id)
            || versions.into_iter().any(|(it, _)| it.id == id)
    }

    /// A day of a segment with a record that cannot be read.
    pub(super) fn unreadable_day(&self, segment: &str) -> Option<NaiveDate> {
        let mut unknown = self.unknown.iter();
        let found = unknown.find(|(name, _)| name == segment);
        found.map(|(_, as_of)| *as_of)
    }

    /// Every segment that there is anything of.
    pub(super) fn segments(&self) -> BTreeSet<&str> {
        let places = self.entries.iter().filter_map(|entry| match &entry.place {
            Place::Record(segment, _)
            | Place::Members(segment, _)
            | Place::Version(segment, ..)
            | Place::VersionRecord(segment, ..) => Some(segment.as_str()),
            _ => None,
        });
        places.collect()
    }

    /// A file by its name.
    pub(super) fn entry(&self, file: &str) -> Option<&Entry> {
        let found = self
            .entries
            .binary_search_by(|entry| entry.file.as_str().cmp(file));
        found.ok().map(|place| &self.entries[place])
    }

    /// Is there anything of a segment?
    pub(super) fn check_known(&self, name: &str) -> Result<()> {
        let known = self.segments();
        match known.contains(name) {
            true => Ok(()),
            false => Err(
                Error::new(format!("the store has no snapshot of a segment '{name}'"))
                    .hint_if(suggest(name, known.iter().copied())),
            ),
        }
    }
}
