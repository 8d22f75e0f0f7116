//! `segql store check`: is everything there that records name, and as they name it?

mod frozen;
mod snapshots;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::json::Reading;
use super::place::{Entry, Place};
use super::{RunRecord, Store};
use crate::error::Result;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Something that counts is not whole.
    Damaged,
    /// What a run that was cut off left behind; nobody reads it.
    Leftover,
    /// None of segql's.
    Foreign,
}

impl Condition {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Damaged => "damaged",
            Condition::Leftover => "leftover",
            Condition::Foreign => "foreign",
        }
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub condition: Condition,
    /// The segment it is about, if it is about one.
    pub segment: Option<String>,
    /// The date of the snapshot it is about.
    pub as_of: Option<NaiveDate>,
    /// The file, within the store.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
    /// What mends it.
    pub mend: String,
}

/// What a check of a store came to.
#[derive(Debug, Default)]
pub struct StoreCheck {
    /// What is not as it should be, the worst first, then by file.
    pub findings: Vec<Finding>,
    /// Snapshots that count.
    pub snapshots: u64,
    /// Restated versions that are kept.
    pub versions: u64,
    /// Records of runs.
    pub runs: u64,
}

impl StoreCheck {
    /// How many findings are damage.
    pub fn damaged(&self) -> usize {
        let mut conditions = self.findings.iter().map(|it| it.condition);
        conditions
            .by_ref()
            .filter(|it| *it == Condition::Damaged)
            .count()
    }
}

/// A check on its way.
struct Checker<'s> {
    store: &'s Store,
    /// What records name, by segment and date: ids.
    named: BTreeMap<(String, NaiveDate), BTreeSet<String>>,
    /// Snapshots whose record is there, readable or not.
    recorded: BTreeSet<(String, NaiveDate)>,
    /// Rows of frozen views that a record names.
    frozen: BTreeSet<String>,
    check: StoreCheck,
}

impl Store {
    /// Looks at every file: what a record names, and what no record names.
    pub async fn check(&self) -> Result<StoreCheck> {
        let entries = self.entries().await?;
        let mut checker = Checker {
            store: self,
            named: BTreeMap::new(),
            recorded: BTreeSet::new(),
            frozen: BTreeSet::new(),
            check: StoreCheck::default(),
        };
        for entry in &entries {
            checker.record(entry).await?;
        }
        for entry in &entries {
            checker.other(entry).await?;
        }
        let states = self.states();
        for (name, problem) in states.map_or_else(Vec::new, |states| states.faults()) {
            let file = format!("_segql/states/{name}");
            let mend =
                "nothing depends on it: a run computes it anew; segql cache clear removes it";
            checker.found(Condition::Leftover, None, &file, problem, mend.to_owned());
        }
        let mut check = checker.check;
        check
            .findings
            .sort_by(|a, b| (a.condition, &a.file).cmp(&(b.condition, &b.file)));
        Ok(check)
    }
}

/// A snapshot that a finding is about.
type About<'a> = Option<(&'a str, NaiveDate)>;

impl Checker<'_> {
    fn found(
        &mut self,
        condition: Condition,
        about: About<'_>,
        file: &str,
        problem: impl Into<String>,
        mend: String,
    ) {
        self.check.findings.push(Finding {
            condition,
            segment: about.map(|(segment, _)| segment.to_owned()),
            as_of: about.map(|(_, as_of)| as_of),
            file: file.to_owned(),
            problem: problem.into(),
            mend,
        });
    }

    /// Records, and the files that they name.
    async fn record(&mut self, entry: &Entry) -> Result<()> {
        match &entry.place {
            Place::Record(segment, as_of) => self.snapshot(entry, segment, *as_of).await,
            Place::VersionRecord(segment, as_of, id) => {
                self.version(entry, (segment, *as_of), id).await
            }
            Place::Run => self.run(entry).await,
            Place::Frozen => self.frozen(entry).await,
            _ => Ok(()),
        }
    }

    async fn run(&mut self, entry: &Entry) -> Result<()> {
        let path = self.store.layout.at(&entry.file)?;
        match self.store.read_record::<RunRecord>(&path).await? {
            Reading::Whole(_) => self.check.runs += 1,
            Reading::Missing => {}
            Reading::Damaged => {
                let mend = "remove it: nothing builds on it".to_owned();
                let problem = "is no record of a run";
                self.found(Condition::Damaged, None, &entry.file, problem, mend);
            }
        }
        Ok(())
    }

    /// What is no record, and what no record names.
    async fn other(&mut self, entry: &Entry) -> Result<()> {
        let prune = || "segql store prune removes it".to_owned();
        let cut_off = "is of a run that was cut off, or is at work";
        let leftover = Condition::Leftover;
        match &entry.place {
            Place::Staged | Place::HalfWritten => {
                self.found(leftover, None, &entry.file, cut_off, prune());
            }
            Place::Version(segment, as_of, id) => {
                let key = (segment.clone(), *as_of);
                let is_named = self.named.get(&key).is_some_and(|named| named.contains(id));
                if !is_named {
                    let about = Some((segment.as_str(), *as_of));
                    let problem = format!("{cut_off}: no record names it");
                    self.found(leftover, about, &entry.file, problem, prune());
                }
            }
            Place::Members(segment, as_of)
                if !self.recorded.contains(&(segment.clone(), *as_of)) =>
            {
                self.unrecorded(entry, (segment, *as_of)).await?;
            }
            Place::Frozen
                if !entry.file.ends_with(".json") && !self.frozen.contains(&entry.file) =>
            {
                let problem = format!("{cut_off}: no record names it");
                self.found(leftover, None, &entry.file, problem, prune());
            }
            Place::Rename => {
                let mend = "segql store rename with the same names finishes it".to_owned();
                let problem = "a rename was cut off, or is at work";
                self.found(leftover, None, &entry.file, problem, mend);
            }
            Place::Foreign => {
                let problem = "segql did not write it, and leaves it alone";
                let mend = "move it out of the store, if it is not meant to be here".to_owned();
                self.found(Condition::Foreign, None, &entry.file, problem, mend);
            }
            _ => {}
        }
        Ok(())
    }

    /// Members in the place for everyone that have no record at all.
    async fn unrecorded(&mut self, entry: &Entry, about: (&str, NaiveDate)) -> Result<()> {
        let path = self.store.layout.at(&entry.file)?;
        let is_ours = self.store.footer(&path).await?.is_some();
        let (condition, problem) = match is_ours {
            true => (
                Condition::Leftover,
                "has no record, so segql does not count it: a run was cut off, or is at work",
            ),
            false => (
                Condition::Foreign,
                "segql did not write it, and no record names it",
            ),
        };
        let mend = format!("{}, or remove it", run_again(about));
        self.found(condition, Some(about), &entry.file, problem, mend);
        Ok(())
    }
}

/// The command that makes a snapshot.
fn run_again((segment, as_of): (&str, NaiveDate)) -> String {
    match segment.contains(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))) {
        true => format!("segql run '{segment}' --as-of {as_of}"),
        false => format!("segql run {segment} --as-of {as_of}"),
    }
}
