//! What segql does: each verb a file, each returns a value. Nothing here
//! prints; `cli` and `repl` decide what becomes of the values.

mod admit;
mod bases;
mod carried_plan;
mod carry;
mod check;
mod copy;
mod describe;
mod diff;
mod engine;
mod fingerprint;
mod forget;
mod frozen;
mod incremental;
mod known;
mod lint;
mod materialize;
mod members;
mod node;
mod physical;
mod query;
mod reading;
mod replay;
mod schedule;
mod shared;
mod show;
mod state_rows;
mod statuses;
mod write;

pub use check::{CheckReport, CheckResult};
pub use diff::{Compare, DiffLine, DiffSummary, Difference};
pub use engine::{COMMAND_LINE, Engine, Setup};
pub use materialize::{RunReport, RunRequest, Sharing};
pub use query::Outcome;
