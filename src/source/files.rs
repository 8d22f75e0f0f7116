//! From a path, glob or folder to the list of files, with hive partitions.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as StorePath;

use super::format::Encoding;
use crate::error::{Error, Result, suggest};

/// One file of a source as it was found when the source was opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct InputFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Last change, nanoseconds since 1970 UTC.
    pub modified: i64,
    /// `key=value` folders on the way to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<(String, String)>,
}

impl InputFile {
    /// A file as it is now.
    pub fn at(path: &Path) -> Result<Self> {
        Self::new(path, path)
    }

    fn new(path: &Path, base: &Path) -> Result<Self> {
        let shown = path.display();
        let failed = |error: std::io::Error| Error::new(format!("cannot read '{shown}': {error}"));
        let meta = std::fs::metadata(path).map_err(failed)?;
        // A pipe would be waited for, and cannot be read twice.
        if !meta.is_file() {
            return Err(Error::new(format!("'{shown}' is no regular file"))
                .hint("what comes from a pipe can be written to a file first"));
        }
        if path.to_str().is_none() {
            return Err(Error::new(format!("the name of '{shown}' is not UTF-8"))
                .hint("rename the file or its folder"));
        }
        std::fs::File::open(path).map_err(failed)?;
        let modified = meta.modified().map_err(failed)?;
        Ok(Self {
            path: std::fs::canonicalize(path).map_err(failed)?,
            size: meta.len(),
            modified: chrono::DateTime::<chrono::Utc>::from(modified)
                .timestamp_nanos_opt()
                .unwrap_or_default(),
            partitions: hive_partitions(path, base),
        })
    }

    /// Is it still there, of the same size and time?
    pub(super) fn is_unchanged(&self) -> bool {
        Self::at(&self.path).is_ok_and(|now| (now.size, now.modified) == (self.size, self.modified))
    }

    /// The same for DataFusion's object store.
    pub(super) fn object_meta(&self) -> Result<ObjectMeta> {
        Ok(ObjectMeta {
            location: StorePath::from_absolute_path(&self.path)
                .map_err(|error| Error::new(error.to_string()))?,
            last_modified: chrono::DateTime::from_timestamp_nanos(self.modified),
            size: self.size,
            e_tag: None,
            version: None,
        })
    }
}

/// The first of these files that is no longer what it was when it was listed.
pub fn changed(files: &[InputFile]) -> Option<&Path> {
    let changed = files.iter().find(|file| !file.is_unchanged());
    changed.map(|file| file.path.as_path())
}

/// Does a table name look like a file? A dot or slash that no plain name has.
pub fn looks_like_path(name: &str) -> bool {
    name.contains(['/', '\\', '*']) || Encoding::of(Path::new(name)).format.is_some()
}

/// Every file that a location names, sorted by path.
pub(super) fn list(location: &str, base: &Path) -> Result<Vec<InputFile>> {
    let local = location.strip_prefix("file://").unwrap_or(location);
    if let Some((scheme, _)) = local.split_once("://") {
        return Err(Error::new(format!(
            "'{location}': {scheme} is no place this build can read from"
        ))
        .hint("local files, folders and globs can be read"));
    }
    let full = base.join(local);
    let (start, mut paths) = if local.contains(['*', '?', '[']) && !full.exists() {
        (glob_base(&full), expand_glob(&full, location)?)
    } else if full.is_dir() {
        let mut found = vec![];
        walk(&full, &mut found, &mut vec![])?;
        (full.clone(), found)
    } else {
        (
            full.parent().unwrap_or(&full).to_owned(),
            vec![full.clone()],
        )
    };
    if paths.is_empty() {
        return Err(Error::new(format!("no file matches '{location}'"))
            .hint(format!("looked in '{}'", start.display())));
    }
    if !full.exists() && paths == [full.clone()] {
        return Err(missing(location, &full));
    }
    paths.sort();
    let files = paths.iter().map(|path| InputFile::new(path, &start));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    // However many links lead to a file, its rows count once.
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert((file.path.clone(), file.partitions.clone())));
    files.sort();
    Ok(files)
}

fn missing(location: &str, full: &Path) -> Error {
    let folder = full.parent().unwrap_or(full);
    let name = full.file_name().unwrap_or_default().to_string_lossy();
    let beside: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let error = Error::new(format!("file '{location}' does not exist"));
    match suggest(&name, beside.iter().map(String::as_str)) {
        Some(hint) => error.hint(hint),
        None if folder.is_dir() => error.hint(format!("looked in '{}'", folder.display())),
        None => error.hint(format!(
            "folder '{}' does not exist either",
            folder.display()
        )),
    }
}

fn glob_base(pattern: &Path) -> PathBuf {
    pattern
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect()
}

fn expand_glob(pattern: &Path, location: &str) -> Result<Vec<PathBuf>> {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..Default::default()
    };
    let found = glob::glob_with(&pattern.to_string_lossy(), options)
        .map_err(|error| Error::new(format!("'{location}' is no glob: {error}")))?;
    let mut paths = vec![];
    for path in found {
        let path = path.map_err(|error| Error::new(format!("cannot read {error}")))?;
        if path.is_dir() {
            walk(&path, &mut paths, &mut vec![])?;
        } else {
            paths.push(path);
        }
    }
    Ok(without_loops(paths))
}

/// A glob goes round and round where a link leads back to a folder on its way.
fn without_loops(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort_by_key(|path| path.components().count());
    let mut shortest: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut is_loop: HashMap<PathBuf, bool> = HashMap::new();
    paths.retain(|path| {
        let folder = path.parent().unwrap_or(path);
        if let Some(known) = is_loop.get(folder) {
            return !known;
        }
        let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let first = shortest.entry(real).or_insert_with(|| folder.to_owned());
        let back = first != folder && folder.starts_with(first);
        is_loop.insert(folder.to_owned(), back);
        !back
    });
    paths
}

/// How deep folders may nest.
const MAX_DEPTH: usize = 64;

/// Data files below a folder; hidden ones, `_…` and unknown endings are left
/// out, and so are links back to a folder on the way.
fn walk(folder: &Path, found: &mut Vec<PathBuf>, way: &mut Vec<PathBuf>) -> Result<()> {
    if way.len() > MAX_DEPTH {
        return Err(Error::new(format!(
            "folders nest deeper than {MAX_DEPTH} levels at '{}'",
            folder.display()
        )));
    }
    let failed = |error| {
        Error::new(format!(
            "cannot read folder '{}': {error}",
            folder.display()
        ))
    };
    let real = std::fs::canonicalize(folder).map_err(failed)?;
    if way.contains(&real) {
        return Ok(());
    }
    way.push(real);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found, way)?;
        } else if Encoding::of(&path).format.is_some() {
            found.push(path);
        }
    }
    way.pop();
    Ok(())
}

fn hive_partitions(path: &Path, base: &Path) -> Vec<(String, String)> {
    path.parent()
        .and_then(|folder| folder.strip_prefix(base).ok())
        .into_iter()
        .flat_map(Path::components)
        .filter_map(|part| {
            let part = part.as_os_str().to_string_lossy();
            let (key, value) = part.split_once('=')?;
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            Some((key.to_owned(), value.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_come_from_the_folders_below_the_base() {
        assert_eq!(
            hive_partitions(
                Path::new("/a=b/data/country=PL/day=2025-01-01/x.csv"),
                Path::new("/a=b/data")
            ),
            [
                ("country".to_owned(), "PL".to_owned()),
                ("day".to_owned(), "2025-01-01".to_owned())
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_each_file_once() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path();
        std::fs::create_dir(base.join("a")).expect("made");
        std::fs::write(base.join("a/x.csv"), "id\n1\n").expect("written");
        symlink("../a", base.join("a/loop")).expect("linked");
        symlink("x.csv", base.join("a/y.csv")).expect("linked");
        for location in ["a", "a/**/*.csv"] {
            let files = list(location, base).expect("listed");
            let names: Vec<_> = files.iter().filter_map(|it| it.path.file_name()).collect();
            assert_eq!(names, ["x.csv"], "{location}");
        }
        symlink("nowhere.csv", base.join("a/z.csv")).expect("linked");
        let error = list("a", base).expect_err("a link to nothing");
        assert!(error.message().contains("a/z.csv"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().expect("a folder");
        let name = std::ffi::OsStr::from_bytes(b"\xff.csv");
        std::fs::write(folder.path().join(name), "id\n").expect("written");
        let error = list(".", folder.path()).expect_err("refused");
        assert!(error.message().ends_with("is not UTF-8"), "{error}");
    }

    #[test]
    fn a_file_that_grew_or_went_is_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "id\n1\n").expect("written");
        let file = InputFile::at(&path).expect("found");
        assert!(file.is_unchanged());
        std::fs::write(&path, "id\n1\n2\n").expect("written");
        assert!(!file.is_unchanged());
        std::fs::remove_file(&path).expect("removed");
        assert!(!file.is_unchanged());
    }

    #[test]
    fn paths_are_told_from_names() {
        for path in ["a.csv", "x/y", "data/*.parquet", "a.csv.gz"] {
            assert!(looks_like_path(path), "{path}");
        }
        for name in ["orders", "rfm.scores", "segql.runs"] {
            assert!(!looks_like_path(name), "{name}");
        }
    }
}
