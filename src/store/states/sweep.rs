//! What keeps the folder of states bounded.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::entry::{Entry, name};

/// All states together; beyond it, those used longest ago go.
const MAX_BYTES: u64 = 8 << 30;

/// States that nobody used for so long go.
const MAX_AGE: Duration = Duration::from_secs(60 * 24 * 3600);

/// A file that no entry names stays so long, as another run may be writing or
/// reading it.
const GRACE: Duration = Duration::from_secs(3600);

/// What was removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Cleared {
    /// Aggregates whose states were kept.
    pub states: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Sets a file's time to now; that it cannot be set is no harm.
pub(super) fn touch(path: &Path) {
    let set = |file: File| file.set_modified(SystemTime::now());
    let _ = File::options().append(true).open(path).and_then(set);
}

/// Removes what is old, too much, or no longer named; never the entry of `own`.
pub(super) fn sweep(folder: &Path, own: &str) {
    let now = SystemTime::now();
    let age = |time: SystemTime| now.duration_since(time).unwrap_or_default();
    let mut entries = Entry::all(folder);
    entries.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
    let mut total = 0;
    let mut named = HashSet::new();
    for (entry, used) in &entries {
        total += entry.bytes();
        let keep = total <= MAX_BYTES && age(*used) <= MAX_AGE;
        if !keep && entry.key() != own {
            total -= entry.bytes();
            let _ = std::fs::remove_file(folder.join(name(entry.key())));
        }
        let shards = entry.parts.iter().flat_map(|part| &part.shards);
        for shard in shards {
            match keep || entry.key() == own {
                true => {
                    named.insert(shard.name.as_str());
                }
                false => {
                    let _ = std::fs::remove_file(folder.join(&shard.name));
                }
            }
        }
    }
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name();
        let Some(name) = name.to_str().filter(|name| !name.ends_with(".json")) else {
            continue;
        };
        let written = file.metadata().and_then(|meta| meta.modified());
        if !named.contains(name) && written.is_ok_and(|time| age(time) > GRACE) {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

/// Entries that cannot be read, and files that are not as their entry says.
pub(super) fn faults(folder: &Path) -> Vec<(String, &'static str)> {
    let mut faults = vec![];
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = file.file_name();
        let Some(key) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
            continue;
        };
        let Some(entry) = Entry::read(folder, key) else {
            let name = format!("{key}.json");
            faults.push((name, "is no entry of kept states"));
            continue;
        };
        for shard in entry.parts.iter().flat_map(|part| &part.shards) {
            if !shard.is_whole(folder).unwrap_or(false) {
                faults.push((shard.name.clone(), "is not as its entry says"));
            }
        }
    }
    faults
}

/// Removes everything.
pub(super) fn clear(folder: &Path) -> io::Result<Cleared> {
    let mut cleared = Cleared::default();
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(cleared),
        Err(error) => return Err(error),
    };
    for file in files {
        let file = file?;
        let bytes = file.metadata()?.len();
        std::fs::remove_file(file.path())?;
        cleared.bytes += bytes;
        cleared.states += u64::from(file.path().extension().is_some_and(|it| it == "json"));
    }
    Ok(cleared)
}
