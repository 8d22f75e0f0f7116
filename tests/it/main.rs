//! Integration tests: one binary, as linking takes longer than most tests.
//!
//! Tests that read the public data sets beside the repository say so loudly
//! when these are absent.

mod command;
mod datafusion_faults;
mod day_over;
mod depth;
mod determinism;
mod dice;
#[cfg(target_os = "linux")]
mod distinct_memory;
mod errors;
mod examples;
#[cfg(unix)]
mod full_disk;
mod graphs;
mod guard_rails;
#[cfg(unix)]
mod killed;
mod lock;
mod project;
mod readme;
mod rooms;
mod selectors;
mod settings;
mod slt;
mod small_project;
mod store;
