//! From a path, glob or folder to the list of files, with hive partitions.

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
        walk(&full, &mut found, 0)?;
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
    paths
        .iter()
        .map(|path| InputFile::new(path, &start))
        .collect()
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
            walk(&path, &mut paths, 0)?;
        } else {
            paths.push(path);
        }
    }
    paths.dedup();
    Ok(paths)
}

/// How deep folders may nest; a loop of links ends here.
const MAX_DEPTH: usize = 32;

/// Data files below a folder; hidden ones, `_…` and unknown endings are left out.
fn walk(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new(format!(
            "folders nest deeper than {MAX_DEPTH} levels at '{}'",
            folder.display()
        ))
        .hint("is a link leading back to its own folder?"));
    }
    let failed = |error| {
        Error::new(format!(
            "cannot read folder '{}': {error}",
            folder.display()
        ))
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found, depth + 1)?;
        } else if Encoding::of(&path).format.is_some() {
            found.push(path);
        }
    }
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
