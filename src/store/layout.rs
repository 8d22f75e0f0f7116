//! Names and places of files in a store.

use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in the name of a folder, beside letters and digits.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

/// A segment's name as the name of a folder. A leading dot or underscore would
/// hide it or meet our own folder.
pub(super) fn encode(name: &str) -> String {
    match name.as_bytes().first() {
        Some(b'.') => format!("%2E{}", utf8_percent_encode(&name[1..], ENCODED)),
        Some(b'_') => format!("%5F{}", utf8_percent_encode(&name[1..], ENCODED)),
        _ => utf8_percent_encode(name, ENCODED).to_string(),
    }
}

/// A path without `.` and `..`; the folder need not exist yet.
pub(super) fn clean(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut done, part| {
        match part {
            Component::ParentDir => {
                done.pop();
            }
            Component::CurDir => {}
            part => done.push(part),
        }
        done
    })
}

#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn own(&self, folder: &str) -> PathBuf {
        self.root.join("_segql").join(folder)
    }

    pub(super) fn members(&self, segment: &str, as_of: NaiveDate) -> PathBuf {
        let day = format!("as_of={as_of}");
        self.root
            .join(encode(segment))
            .join(day)
            .join("members.parquet")
    }

    pub(super) fn records(&self) -> PathBuf {
        self.own("snapshots")
    }

    pub(super) fn records_of(&self, segment: &str) -> PathBuf {
        self.records().join(encode(segment))
    }

    pub(super) fn record(&self, segment: &str, as_of: NaiveDate) -> PathBuf {
        self.records_of(segment).join(format!("{as_of}.json"))
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.own("runs")
    }

    pub(super) fn run(&self, run: &str) -> PathBuf {
        self.runs().join(format!("{run}.json"))
    }

    pub(super) fn version(&self, segment: &str, as_of: NaiveDate, id: &str) -> PathBuf {
        self.own("versions")
            .join(encode(segment))
            .join(format!("{as_of}-{id}.parquet"))
    }

    pub(super) fn version_record(&self, segment: &str, as_of: NaiveDate, id: &str) -> PathBuf {
        self.version(segment, as_of, id).with_extension("json")
    }

    pub(super) fn lock(&self, segment: &str) -> PathBuf {
        self.own("locks").join(format!("{}.lock", encode(segment)))
    }

    pub(super) fn states(&self) -> PathBuf {
        self.own("states")
    }

    pub(super) fn frozen(&self, view: &str) -> PathBuf {
        self.own("frozen").join(encode(view))
    }

    pub(super) fn staged_folder(&self) -> PathBuf {
        self.own("staged")
    }

    /// A name that no other writer uses, in this process or another.
    pub(super) fn staged(&self) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.staged_folder()
            .join(format!("{}-{number}.parquet", std::process::id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(clean(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(clean(Path::new("/../a")), Path::new("/a"));
    }

    #[test]
    fn names_cannot_leave_the_store() {
        assert_eq!(encode("../x/y"), "%2E.%2Fx%2Fy");
        assert_eq!(encode("rfm.scores"), "rfm.scores");
        assert_eq!(encode("_segql"), "%5Fsegql");
        assert_eq!(encode("żółw"), "%C5%BC%C3%B3%C5%82w");
    }
}
