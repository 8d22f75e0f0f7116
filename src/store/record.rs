//! What is remembered of snapshots and runs, as JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::source::InputFile;

/// A source and the files it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Name of the source.
    pub source: String,
    /// Its files.
    pub files: Vec<InputFile>,
}

/// A column of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as Arrow writes it.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// The members of a segment or segmentation at a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotRecord {
    /// Name of the segment or segmentation.
    pub segment: String,
    /// `segment` or `segmentation`.
    pub kind: String,
    /// The date it is for.
    pub as_of: NaiveDate,
    /// The very instant it was evaluated at.
    pub instant: DateTime<Utc>,
    /// Zone in which days are reckoned.
    pub time_zone: String,
    /// Was the day not over yet?
    pub provisional: bool,
    /// Checksum of the content (SHA-256 of the file's data pages), its id.
    pub id: String,
    /// What it was made from: the same fingerprint makes the same members.
    pub fingerprint: String,
    /// The id of the version of a finished day that this one restates; that
    /// version stays in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restates: Option<String>,
    /// The guard rails that `--force` went past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// How many people were erased from it since it was made (`segql forget`); who they
    /// were is said nowhere.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
    /// Definitions among those it rests on that say of themselves that another
    /// run may give other rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nondeterministic: Vec<String>,
    /// Sources it rests on that have no times: their present values were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeless: Vec<String>,
    /// How many members.
    pub rows: u64,
    /// Members by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, u64>,
    /// The key column.
    pub key: String,
    /// The label column of a segmentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// All columns.
    pub columns: Vec<Column>,
    /// Texts of the definition and of all it rests on, by name.
    pub definitions: BTreeMap<String, String>,
    /// Values of variables.
    pub variables: BTreeMap<String, String>,
    /// Files that were read.
    pub inputs: Vec<Inputs>,
    /// Earlier snapshots that were read, by name: date and fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub previous: BTreeMap<String, String>,
    /// Frozen views that were read: date and id, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frozen: BTreeMap<String, String>,
    /// Version of segql.
    pub version: String,
    /// When the work began.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl SnapshotRecord {
    /// Were all rows seen as they were at the date?
    pub fn is_point_in_time(&self) -> bool {
        self.timeless.is_empty()
    }
}

/// How a node of a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    /// A snapshot was written.
    Success,
    /// Nothing had changed, nothing was done.
    Unchanged,
    /// It failed.
    Error,
    /// Something it builds on failed.
    Skipped,
    /// It would be done (`--dry-run`).
    Planned,
}

impl NodeStatus {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            NodeStatus::Success => "success",
            NodeStatus::Unchanged => "unchanged",
            NodeStatus::Error => "error",
            NodeStatus::Skipped => "skipped",
            NodeStatus::Planned => "planned",
        }
    }
}

/// How a date of a replay came by the rows of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replayed {
    /// All that grows with time was carried from date to date.
    Carried,
    /// Some of it was.
    Partly,
    /// It was evaluated for this date alone, as a run does.
    Evaluated,
}

impl Replayed {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Replayed::Carried => "carried",
            Replayed::Partly => "partly carried",
            Replayed::Evaluated => "evaluated",
        }
    }
}

/// One segment or segmentation of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// `segment` or `segmentation`.
    pub kind: String,
    /// How it ended.
    pub status: NodeStatus,
    /// Why, when it is not a success.
    pub reason: Option<String>,
    /// How many members.
    pub rows: Option<u64>,
    /// Members by label, of a segmentation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, u64>,
    /// Definitions it rests on that may give other rows on another run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nondeterministic: Vec<String>,
    /// Sources it rests on that have no times: their present values were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeless: Vec<String>,
    /// The sources it would read, of a dry run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// The file it would write, of a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<String>,
    /// What it took from kept states of aggregates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<Reused>,
    /// How it came by its rows, in a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Replayed>,
    /// How long it took.
    pub seconds: f64,
}

/// Rows that several nodes of a run read and that were computed once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedRecord {
    /// The definition whose rows they are, or what was done to get them.
    pub what: String,
    /// How many scans of them there were.
    pub readers: u64,
    /// How many rows.
    pub rows: u64,
    /// How much room they took.
    pub bytes: u64,
    /// Were they kept in a temporary file, as the memory limit was near?
    pub in_file: bool,
    /// How long it took to compute and keep them.
    pub seconds: f64,
}

/// Aggregates that were resumed from kept states, all of a node's together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reused {
    /// Aggregates that can be resumed.
    pub aggregates: u64,
    /// Files that need not be read, as a state holds what they add.
    pub files_from_state: u64,
    /// Rows in these files.
    pub rows_saved: u64,
    /// Their bytes.
    pub bytes_saved: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Rows of states that were written for the next run.
    pub state_rows_written: u64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its name, which sorts by time.
    pub run: String,
    /// The date it was for.
    pub as_of: NaiveDate,
    /// When it began.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
    /// What it did.
    pub nodes: Vec<NodeRecord>,
    /// What rows that several nodes read took from kept states of aggregates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<Reused>,
    /// What several of these read and was computed once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<SharedRecord>,
    /// Views that it froze: date and id, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frozen: BTreeMap<String, String>,
    /// Version of segql.
    pub version: String,
}
