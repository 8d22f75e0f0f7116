//! What a file of the store is, told by where it stands.

use std::io::ErrorKind;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use super::layout::decode;
use crate::error::{Error, Result};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A snapshot's members, for everyone.
    Members(String, NaiveDate),
    /// The record of the snapshot that counts.
    Record(String, NaiveDate),
    /// Members under their id.
    Version(String, NaiveDate, String),
    /// The record of a restated version, by its id.
    VersionRecord(String, NaiveDate, String),
    /// Members that were not yet committed.
    Staged,
    /// What was being written under another name when the writer was cut off.
    HalfWritten,
    /// A run's record.
    Run,
    /// Something of a kept state.
    State,
    /// Something of a frozen view.
    Frozen,
    /// What a rename is about.
    Rename,
    /// A lock.
    Lock,
    /// None of ours.
    Foreign,
}

/// A file of the store.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its name below the root, as messages give it.
    pub(super) file: String,
    pub(super) place: Place,
    pub(super) bytes: u64,
    pub(super) modified: DateTime<Utc>,
}

/// Nothing of ours lies deeper.
const MAX_DEPTH: usize = 6;

/// Every file of a store in a folder; a folder deeper than any of ours is listed as one
/// that is foreign.
pub(super) fn walk(root: &Path) -> Result<Vec<Entry>> {
    let mut entries = vec![];
    if root.is_dir() {
        walk_folder(root, "", 1, &mut entries)?;
    }
    Ok(entries)
}

fn walk_folder(folder: &Path, name: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<()> {
    let failed = |error| {
        let folder = folder.display();
        Error::new(format!("cannot read folder '{folder}': {error}"))
    };
    let listed = match std::fs::read_dir(folder) {
        // A run at work may remove what has just been listed.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(failed)?,
    };
    for found in listed {
        let found = found.map_err(failed)?;
        let path = found.path();
        let meta = std::fs::metadata(&path).or_else(|_| std::fs::symlink_metadata(&path));
        let Ok(meta) = meta else {
            continue;
        };
        let own = found.file_name();
        let below = |it: &str| match name {
            "" => it.to_owned(),
            name => format!("{name}/{it}"),
        };
        let file = below(&own.to_string_lossy());
        if meta.is_dir() && depth < MAX_DEPTH {
            walk_folder(&path, &file, depth + 1, entries)?;
            continue;
        }
        // A name that is no text is none of ours, however it looks when it is shown.
        let is_plain = meta.is_file() && own.to_str().is_some();
        entries.push(Entry {
            place: match is_plain {
                true => Place::of(&file),
                false => Place::Foreign,
            },
            file,
            bytes: meta.len(),
            modified: meta.modified().map(Into::into).unwrap_or_default(),
        });
    }
    Ok(())
}

impl Place {
    /// What a file is for, by its name below the root.
    pub(super) fn of(file: &str) -> Self {
        let parts: Vec<&str> = file.split('/').collect();
        // A file comes to its place from `<name>#<number>` beside it.
        if let Some((last, folders)) = parts.split_last()
            && let Some((name, number)) = last.rsplit_once('#')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            let whole = [folders, &[name]].concat();
            return match own(&whole) {
                None => Place::Foreign,
                Some(_) => Place::HalfWritten,
            };
        }
        own(&parts).unwrap_or(Place::Foreign)
    }
}

fn own(parts: &[&str]) -> Option<Place> {
    Some(match parts {
        ["_segql", "snapshots", folder, file] => {
            let date = date(file.strip_suffix(".json")?)?;
            Place::Record(decode(folder)?, date)
        }
        ["_segql", "versions", folder, file] => version(decode(folder)?, file)?,
        ["_segql", "staged", file] if file.ends_with(".parquet") => Place::Staged,
        ["_segql", "runs", file] if file.ends_with(".json") => Place::Run,
        ["_segql", "locks", file] if file.ends_with(".lock") => Place::Lock,
        ["_segql", "states", _] => Place::State,
        ["_segql", "frozen", _, file] if file.ends_with(".json") => Place::Frozen,
        ["_segql", "frozen", _, file] if file.ends_with(".parquet") => Place::Frozen,
        ["_segql", "rename.json"] => Place::Rename,
        [folder, day, "members.parquet"] => {
            let date = date(day.strip_prefix("as_of=")?)?;
            Place::Members(decode(folder)?, date)
        }
        _ => return None,
    })
}

/// A date as we write it, and in no other way.
fn date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

/// `2026-01-31-<id>.parquet` and `.json`.
fn version(segment: String, file: &str) -> Option<Place> {
    let (name, ending) = file.rsplit_once('.')?;
    let date = date(name.get(..10)?)?;
    let id = name.get(10..)?.strip_prefix('-')?.to_owned();
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match ending {
        "parquet" if is_id => Some(Place::Version(segment, date, id)),
        "json" if is_id => Some(Place::VersionRecord(segment, date, id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_place() {
        let date = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a date");
        let id = "0123456789abcdef0123456789abcdef";
        let vip = || "vip".to_owned();
        let known = [
            (
                "vip/as_of=2026-01-31/members.parquet".to_owned(),
                Place::Members(vip(), date),
            ),
            (
                "_segql/snapshots/vip/2026-01-31.json".to_owned(),
                Place::Record(vip(), date),
            ),
            (
                format!("_segql/versions/vip/2026-01-31-{id}.parquet"),
                Place::Version(vip(), date, id.to_owned()),
            ),
            (
                format!("_segql/versions/vip/2026-01-31-{id}.json"),
                Place::VersionRecord(vip(), date, id.to_owned()),
            ),
            ("_segql/staged/1-2.parquet".to_owned(), Place::Staged),
            ("_segql/runs/x.json#3".to_owned(), Place::HalfWritten),
        ];
        for (path, expected) in known {
            assert_eq!(Place::of(&path), expected, "{path}");
        }
        for path in [
            "notes.txt",
            "vip/as_of=2026-01-31/part-0.parquet",
            "vip/as_of=2026-02-31/members.parquet",
            "vip/as_of=2026-1-31/members.parquet",
            "a b/as_of=2026-01-31/members.parquet",
            "_segql/snapshots/vip/x.json",
            "_segql/versions/vip/2026-01-31-xyz.parquet",
            "_segql/other",
            "notes.txt#1",
        ] {
            assert_eq!(Place::of(path), Place::Foreign, "{path}");
        }
    }
}
