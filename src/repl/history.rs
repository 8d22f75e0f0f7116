//! Where the shell remembers what was typed.

use std::path::PathBuf;

/// Entries that are kept.
pub(super) const MAX_ENTRIES: usize = 10_000;

/// A file in the user's data folder; none when it cannot be made.
pub(super) fn file() -> Option<PathBuf> {
    let folder = dirs::data_dir()?.join("segql");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
