//! `segql store prune`: what no longer counts goes, and what was cut off.
//!
//! Old versions of restated days, records of runs, and files of ours that no record
//! names. Never a snapshot that counts, never a file for everyone, nothing foreign.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::held::Held;
use super::place::{Entry, Place};
use super::{Keep, RunRecord, Store};
use crate::error::Result;

/// What to remove.
#[derive(Debug, Clone)]
pub struct Prune {
    /// What is kept of that which no longer counts.
    pub keep: Keep,
    /// Only of these segments; all when none is given, and then records of runs too.
    pub segments: Vec<String>,
    /// Only say what would go.
    pub dry_run: bool,
}

/// A file that went, or would.
#[derive(Debug, Clone)]
pub struct Removed {
    /// What it was: `version`, `run`, `leftover`.
    pub what: &'static str,
    /// The segment it was of.
    pub segment: Option<String>,
    /// The date it was for.
    pub as_of: Option<NaiveDate>,
    /// The file, within the store.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
}

/// Without a lock a file this young may be another's work.
const GRACE: Duration = Duration::days(1);

impl Prune {
    fn is_about(&self, segment: &str) -> bool {
        self.segments.is_empty() || self.segments.iter().any(|it| it == segment)
    }

    /// Is it a file of ours that no record names?
    fn takes_leftover(&self, held: &Held, entry: &Entry) -> bool {
        let of_all = self.segments.is_empty();
        match &entry.place {
            Place::Version(segment, as_of, id) => {
                self.is_about(segment) && !held.names(segment, *as_of, id)
            }
            Place::Staged | Place::HalfWritten => of_all,
            Place::Frozen => {
                let is_rows = entry.file.ends_with(".parquet");
                of_all && is_rows && !held.names_frozen(&entry.file)
            }
            _ => false,
        }
    }
}

impl Store {
    /// Removes what no longer counts; `waits` is called when a run at work has to be
    /// waited for.
    pub async fn prune(
        &self,
        prune: &Prune,
        now: DateTime<Utc>,
        waits: impl FnOnce(),
    ) -> Result<Vec<Removed>> {
        let lock = match prune.dry_run {
            true => self.alone_now(),
            false => self.alone(waits).await?,
        };
        let held = Held::read(self).await?;
        for name in &prune.segments {
            held.check_known(name)?;
        }
        let mut gone = self.old_versions(&held, prune, now)?;
        if prune.segments.is_empty() {
            gone.extend(old_runs(&held, prune.keep, now));
        }
        let leftovers = held.entries.iter().filter(|entry| {
            let is_old = lock.is_held() || now - entry.modified > GRACE;
            is_old && prune.takes_leftover(&held, entry)
        });
        gone.extend(leftovers.map(|entry| removed("leftover", entry)));
        if !prune.dry_run {
            for file in &gone {
                self.remove(&file.file).await?;
            }
        }
        Ok(gone)
    }

    /// Records first, so that what is cut off in between leaves a file that no record
    /// names.
    fn old_versions(&self, held: &Held, prune: &Prune, now: DateTime<Utc>) -> Result<Vec<Removed>> {
        let mut gone = vec![];
        for ((segment, as_of), versions) in &held.versions {
            if !prune.is_about(segment) {
                continue;
            }
            let current = held.current.get(&(segment.clone(), *as_of));
            for (place, (version, time)) in versions.iter().enumerate() {
                if prune.keep.keeps(*time, place, now) {
                    continue;
                }
                let counts = current.is_none_or(|current| current.id == version.id);
                let record = self.layout.version_record(segment, *as_of, &version.id)?;
                let members = self.layout.version(segment, *as_of, &version.id)?;
                let files = [Some(record), (!counts).then_some(members)];
                for path in files.into_iter().flatten() {
                    let entry = held.entry(&self.layout.shown(&path));
                    gone.extend(entry.map(|entry| removed("version", entry)));
                }
            }
        }
        Ok(gone)
    }
}

/// The last run stays: `failed` selects from it.
fn old_runs(held: &Held, keep: Keep, now: DateTime<Utc>) -> Vec<Removed> {
    let mut runs: Vec<&(RunRecord, Entry)> = held.runs.iter().collect();
    runs.sort_by(|(a, _), (b, _)| b.run.cmp(&a.run));
    let places = runs.into_iter().enumerate().skip(1);
    let old = places.filter(|(place, (run, _))| !keep.keeps(run.started, *place, now));
    old.map(|(_, (_, entry))| removed("run", entry)).collect()
}

fn removed(what: &'static str, entry: &Entry) -> Removed {
    let (segment, as_of) = match &entry.place {
        Place::Version(segment, as_of, _) | Place::VersionRecord(segment, as_of, _) => {
            (Some(segment.clone()), Some(*as_of))
        }
        _ => (None, None),
    };
    Removed {
        what,
        segment,
        as_of,
        file: entry.file.clone(),
        bytes: entry.bytes,
    }
}
