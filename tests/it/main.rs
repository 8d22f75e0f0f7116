//! Integration tests: one binary, as linking takes longer than most tests.
//!
//! Tests that read the public data sets beside the repository say so loudly
//! when these are absent.

mod command;
mod datafusion_faults;
mod day_over;
mod determinism;
mod dice;
mod errors;
mod examples;
mod graphs;
#[cfg(unix)]
mod killed;
mod project;
mod project_files;
mod readme;
mod rooms;
mod slt;
mod store;
