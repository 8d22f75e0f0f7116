//! What may happen to a store while it is written, and that it is never torn: several
//! runs at once, `kill -9`, a full disk, a disk that cannot be written, folders and files
//! that vanish, break or belong to others, a clock that jumps.
//!
//! `SEGQL_FAULTS=long` makes the loops as long as they are meant to be.

mod at_once;
mod clock;
mod disk;
mod files;
mod killed;
mod versions;

/// How often something is done: a few times with every change, more often when asked.
fn times(few: u32, many: u32) -> u32 {
    match std::env::var("SEGQL_FAULTS").as_deref() {
        Ok("long") => many,
        _ => few,
    }
}
