//! Integration tests: one binary, as linking takes longer than most tests.
//!
//! Tests that read the public data sets beside the repository say so loudly
//! when these are absent.

mod cache_sized;
mod check_once;
mod command;
mod counted_run;
mod daily_shop;
mod datafusion_faults;
mod day_over;
mod dense;
mod depth;
mod determinism;
mod dice;
mod diff;
#[cfg(target_os = "linux")]
mod distinct_memory;
mod errors;
mod examples;
#[cfg(target_os = "linux")]
mod faults;
mod forget;
mod forget_frozen;
mod frozen;
#[cfg(unix)]
mod full_disk;
mod graphs;
mod guard_rails;
mod incremental;
#[cfg(unix)]
mod killed;
mod later_files;
mod library;
mod library_docs;
mod library_missing;
mod library_on_shop;
mod lock;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod peak;
mod project;
mod python;
mod readers;
mod readme;
mod reference;
mod rejected;
mod replay;
mod rooms;
#[cfg(unix)]
mod s3;
mod selectors;
mod settings;
mod shared;
mod slt;
mod small_project;
mod store;
mod store_check;
mod store_prune;
mod store_rename;
mod store_state;
#[cfg(target_os = "linux")]
mod window_memory;
mod windows;
