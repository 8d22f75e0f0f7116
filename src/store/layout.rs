//! Names and places of files in a store: paths of its object store, which for a
//! folder are those of the file system.

use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;
use datafusion::object_store::path::Path as StorePath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::{Error, Result};

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

/// The name that a folder stands for, if it is one that [`encode`] makes.
pub(super) fn decode(folder: &str) -> Option<String> {
    let name = percent_decode_str(folder).decode_utf8().ok()?.into_owned();
    (!name.is_empty() && encode(&name) == folder).then_some(name)
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

/// Tells this process's staged files from those of others, on this machine or
/// another that writes to the same bucket.
static PROCESS: LazyLock<String> = LazyLock::new(|| {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}-{random:016x}", std::process::id())
});

#[derive(Debug)]
pub(super) struct Layout {
    root: StorePath,
}

impl Layout {
    pub(super) fn new(root: StorePath) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &StorePath {
        &self.root
    }

    /// The name below the root, as messages give it.
    pub(super) fn shown(&self, path: &StorePath) -> String {
        let below = path.as_ref().strip_prefix(self.root.as_ref());
        let below = below.unwrap_or(path.as_ref());
        below.trim_start_matches('/').to_owned()
    }

    /// A file or folder by its name below the root.
    pub(super) fn at(&self, name: &str) -> Result<StorePath> {
        // Joined part by part, names that are encoded would be encoded again.
        StorePath::parse(format!("{}/{name}", self.root))
            .map_err(|error| Error::new(format!("'{name}' cannot be in a store: {error}")))
    }

    fn own(&self, name: &str) -> Result<StorePath> {
        self.at(&format!("_segql/{name}"))
    }

    pub(super) fn members(&self, segment: &str, as_of: NaiveDate) -> Result<StorePath> {
        self.at(&format!(
            "{}/as_of={as_of}/members.parquet",
            encode(segment)
        ))
    }

    pub(super) fn records(&self) -> Result<StorePath> {
        self.own("snapshots")
    }

    pub(super) fn records_of(&self, segment: &str) -> Result<StorePath> {
        self.own(&format!("snapshots/{}", encode(segment)))
    }

    pub(super) fn record(&self, segment: &str, as_of: NaiveDate) -> Result<StorePath> {
        self.own(&format!("snapshots/{}/{as_of}.json", encode(segment)))
    }

    pub(super) fn runs(&self) -> Result<StorePath> {
        self.own("runs")
    }

    pub(super) fn run(&self, run: &str) -> Result<StorePath> {
        self.own(&format!("runs/{run}.json"))
    }

    pub(super) fn version(&self, segment: &str, as_of: NaiveDate, id: &str) -> Result<StorePath> {
        self.own(&format!(
            "versions/{}/{as_of}-{id}.parquet",
            encode(segment)
        ))
    }

    pub(super) fn version_record(
        &self,
        segment: &str,
        as_of: NaiveDate,
        id: &str,
    ) -> Result<StorePath> {
        self.own(&format!("versions/{}/{as_of}-{id}.json", encode(segment)))
    }

    pub(super) fn lock(&self, segment: &str) -> Result<StorePath> {
        self.own(&format!("locks/{}.lock", encode(segment)))
    }

    /// Held by whoever works in the store; no segment's lock is called so.
    pub(super) fn store_lock(&self) -> Result<StorePath> {
        self.own("locks/_store.lock")
    }

    /// What a rename that is on its way is about.
    pub(super) fn rename(&self) -> Result<StorePath> {
        self.own("rename.json")
    }

    pub(super) fn states(&self) -> Result<StorePath> {
        self.own("states")
    }

    pub(super) fn frozen(&self, view: &str, file: &str) -> Result<StorePath> {
        self.own(&format!("frozen/{}/{file}", encode(view)))
    }

    pub(super) fn staged_folder(&self) -> Result<StorePath> {
        self.own("staged")
    }

    /// A name that no other writer uses, in this process or another.
    pub(super) fn staged(&self) -> Result<StorePath> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.own(&format!("staged/{}-{number}.parquet", *PROCESS))
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
        for name in ["../x/y", "rfm.scores", "_segql", "żółw"] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
        for folder in ["_segql", "a b", "%2e.", "%FF", ""] {
            assert_eq!(decode(folder), None, "{folder}");
        }
        let layout = Layout::new(StorePath::parse("a/b").expect("a path"));
        let date = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a date");
        let members = layout.members("../x/y", date).expect("a path");
        assert_eq!(
            members.as_ref(),
            "a/b/%2E.%2Fx%2Fy/as_of=2026-01-31/members.parquet"
        );
        assert_eq!(
            layout.shown(&members),
            "%2E.%2Fx%2Fy/as_of=2026-01-31/members.parquet"
        );
        // An id is what a record says it is.
        assert!(layout.version("x", date, "/../../y").is_err());
    }

    #[test]
    fn a_store_may_be_a_whole_bucket() {
        let layout = Layout::new(StorePath::default());
        assert_eq!(layout.runs().expect("a path").as_ref(), "_segql/runs");
    }
}
