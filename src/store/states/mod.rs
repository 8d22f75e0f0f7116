//! Partial states of aggregates, kept so that the next run reads only new files.
//!
//! ```text
//! <store>/_segql/states/<key>.json             the parts kept under a key
//! <store>/_segql/states/<key>.<name>.arrow     rows of a part, in one file or several
//! ```
//!
//! The key says what is computed (`exec::incremental` makes it), a part from which
//! files, and its rows are what a final aggregation takes in. A part counts when the
//! entry of its key names it, so that everything is in its place at once with one
//! rename; of two runs at a time the last one wins, and nothing is lost but time.
//! Nothing here is the only copy of anything: whatever is damaged, foreign or missing
//! is computed anew.
//!
//! Like snapshots, states hold the keys of people. They stand in this one folder.

mod entry;
mod part;
mod sweep;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use datafusion::arrow::datatypes::Schema;

use crate::error::{Error, Result};

use entry::Entry;
pub use part::{Part, Shard, ShardWriter, WrittenShard};
pub use sweep::Cleared;

/// Parts that are kept under a key: those used last.
const MAX_PARTS: usize = 16;

/// The folder of states of a store.
#[derive(Debug, Clone)]
pub struct States {
    folder: PathBuf,
}

/// What is kept under a key, for a list.
#[derive(Debug)]
pub struct Kept {
    /// What is computed.
    pub about: String,
    /// Files it was computed from.
    pub files: u64,
    /// Rows in these files.
    pub input_rows: u64,
    /// Rows of the states.
    pub rows: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// When it was last used or written.
    pub used: SystemTime,
}

impl States {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The parts of a key; none when what is there cannot be trusted.
    pub fn parts(&self, key: &str) -> Vec<Part> {
        Entry::read(&self.folder, key).map_or_else(Vec::new, |entry| entry.parts)
    }

    /// How many input rows there were when a state was found to be hardly smaller
    /// than what it is made from.
    pub fn unfit(&self, key: &str) -> Option<u64> {
        Entry::read(&self.folder, key)?.unfit
    }

    /// Is a part there as it was written, with these columns?
    pub fn is_intact(&self, part: &Part, columns: &Schema) -> bool {
        part.is_intact(&self.folder, columns)
    }

    /// The files of a part.
    pub fn paths(&self, part: &Part) -> Vec<PathBuf> {
        let shards = part.shards.iter();
        shards.map(|shard| self.folder.join(&shard.name)).collect()
    }

    /// A file for rows of a part to come; it is gone if it is not kept.
    pub fn shard(&self, key: &str, columns: &Schema) -> Result<ShardWriter> {
        std::fs::create_dir_all(&self.folder).map_err(|error| self.failed(&error))?;
        ShardWriter::new(&self.folder, key, columns).map_err(|error| self.failed(&error))
    }

    /// Keeps a part, and no longer those that it takes the place of (by their ids);
    /// the parts that were used are the last to make room for others.
    pub fn keep(
        &self,
        key: &str,
        about: &str,
        part: Part,
        used: &[String],
        superseded: &[String],
    ) -> Result<()> {
        let mut parts = self.parts(key);
        let gone = self.drop_parts(&mut parts, |old| {
            superseded.contains(&old.id) || old.files == part.files || old.is_stale()
        });
        // False sorts first: what was not used makes room.
        parts.sort_by_key(|part| used.contains(&part.id));
        parts.push(part);
        let over = parts.len().saturating_sub(MAX_PARTS);
        let over: Vec<Part> = parts.drain(..over).collect();
        self.write(Entry::new(key, about, parts))?;
        self.release(gone.iter().chain(&over));
        sweep::sweep(&self.folder, key);
        Ok(())
    }

    /// Remembers that a state is not worth its place.
    pub fn keep_unfit(&self, key: &str, about: &str, input_rows: u64) -> Result<()> {
        let gone = self.parts(key);
        let mut entry = Entry::new(key, about, vec![]);
        entry.unfit = Some(input_rows);
        self.write(entry)?;
        self.release(gone.iter());
        sweep::sweep(&self.folder, key);
        Ok(())
    }

    /// Notes that a key was used, so that it is swept last.
    pub fn touch(&self, key: &str) {
        sweep::touch(&self.folder.join(entry::name(key)));
    }

    /// Everything that is kept, what was used last first.
    pub fn list(&self) -> Vec<Kept> {
        let mut all: Vec<Kept> = Entry::all(&self.folder)
            .into_iter()
            .filter(|(entry, _)| !entry.parts.is_empty())
            .map(|(entry, used)| entry.summary(used))
            .collect();
        all.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.about.cmp(&b.about)));
        all
    }

    /// Entries and files that no run can use, and why.
    pub fn faults(&self) -> Vec<(String, &'static str)> {
        sweep::faults(&self.folder)
    }

    /// Removes everything.
    pub fn clear(&self) -> Result<Cleared> {
        sweep::clear(&self.folder).map_err(|error| self.failed(&error))
    }

    fn drop_parts(&self, parts: &mut Vec<Part>, gone: impl Fn(&Part) -> bool) -> Vec<Part> {
        let (dropped, kept) = parts.drain(..).partition(|part| gone(part));
        *parts = kept;
        dropped
    }

    fn write(&self, entry: Entry) -> Result<()> {
        entry
            .write(&self.folder)
            .map_err(|error| self.failed(&error))
    }

    /// Files that no entry names any more stay for a while, as another run may be
    /// reading them.
    fn release<'p>(&self, parts: impl Iterator<Item = &'p Part>) {
        for path in parts.flat_map(|part| self.paths(part)) {
            sweep::touch(&path);
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> Error {
        Error::new(format!(
            "states of aggregates cannot be kept in '{}': {error}",
            self.folder.display()
        ))
        .hint("--no-cache does without them")
    }
}

/// Is this the name of a file of ours, and not a way to another folder?
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|own| own == name)
}
