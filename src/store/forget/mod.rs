//! `segql forget`: a person's rows leave every file of the store, and what was erased
//! is looked for once more.
//!
//! A snapshot is written again without the person and takes the place of the old one as
//! any new version does: the file under its id, the file for everyone, the record. What
//! it was made from stays as it was recorded, so that a run that finds nothing else
//! changed leaves it alone.

mod days;
mod frozen;
mod rest;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use datafusion::object_store::path::Path as StorePath;

use super::held::Held;
use super::person::Person;
use super::{SnapshotRecord, Store};
use crate::error::Result;

/// Rows that were erased, or would be.
#[derive(Debug, Clone)]
pub struct Erased {
    /// What they were in: `snapshot`, `version`, `members` (that no record names),
    /// `frozen view`, `run`.
    pub what: &'static str,
    /// The segment.
    pub segment: Option<String>,
    /// Its date.
    pub as_of: Option<NaiveDate>,
    /// The file, within the store.
    pub file: String,
    /// How many rows.
    pub rows: u64,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// By segment and date.
    pub erased: Vec<Erased>,
    /// Kept states of aggregates that were removed.
    pub states: u64,
    /// Files of runs that were cut off, which were removed.
    pub leftovers: u64,
    /// Files of segql's that cannot be read: nobody knows whom they hold.
    pub unread: BTreeSet<String>,
    /// Files that are not segql's and have rows of the person: they were left alone.
    pub foreign: BTreeSet<String>,
    /// Segments whose recorded definitions or variables have the key in their text.
    pub mentioned: BTreeSet<String>,
}

impl Store {
    /// Erases a person; `waits` is called when a run at work has to be waited for.
    pub async fn forget(
        &self,
        person: &Person<'_>,
        dry_run: bool,
        waits: impl FnOnce(),
    ) -> Result<Forgotten> {
        let _lock = match dry_run {
            true => None,
            false => Some(self.alone(waits).await?),
        };
        let held = Held::read(self).await?;
        let mut erasing = Erasing {
            store: self,
            person,
            held: &held,
            dry_run,
            done: Forgotten::default(),
        };
        for entry in &held.entries {
            erasing.leftover(entry).await?;
        }
        let days = held.current.keys().chain(held.versions.keys());
        for day in days.collect::<BTreeSet<_>>() {
            erasing.day(day).await?;
        }
        for entry in &held.entries {
            erasing.rest(entry).await?;
        }
        erasing.runs().await?;
        let mut done = erasing.done;
        done.states = match self.states() {
            Some(states) if dry_run => states.list().len() as u64,
            Some(states) => states.clear()?.states,
            None => 0,
        };
        if !dry_run {
            self.prove(person, &mut done).await?;
        }
        Ok(done)
    }
}

/// An erasure on its way.
struct Erasing<'e> {
    store: &'e Store,
    person: &'e Person<'e>,
    held: &'e Held,
    dry_run: bool,
    done: Forgotten,
}

impl Erasing<'_> {
    /// Notes how many rows of the person a file has; are there any to be erased?
    async fn holds(
        &mut self,
        what: &'static str,
        about: Option<(&str, NaiveDate)>,
        path: &StorePath,
        record: Option<&SnapshotRecord>,
    ) -> bool {
        let file = self.store.layout.shown(path);
        let rows = self.store.count_rows(self.person, path, record).await;
        match rows {
            Ok(0) => false,
            Ok(rows) => {
                self.done.erased.push(Erased {
                    what,
                    segment: about.map(|(segment, _)| segment.to_owned()),
                    as_of: about.map(|(_, as_of)| as_of),
                    file,
                    rows,
                });
                true
            }
            Err(_) => {
                self.done.unread.insert(file);
                false
            }
        }
    }
}
