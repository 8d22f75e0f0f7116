//! Owns the file that appears whole or not at all. Refuses to choose formats
//! or paths, and object stores.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

const BUFFER_BYTES: usize = 64 * 1024;

/// A file written beside its path and put there by [`commit`](Self::commit).
/// Dropped before that, it leaves what was at the path untouched.
///
/// A target that is no regular file (a device, a pipe, anything below `/dev` or
/// `/proc`) is written to directly: there is nothing to replace.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Direct(BufWriter<File>),
    Replacing {
        file: BufWriter<NamedTempFile>,
        /// Where to: the path with symbolic links followed.
        target: PathBuf,
        /// Of the previous file, which the new one takes over.
        permissions: Option<Permissions>,
    },
}

impl AtomicFile {
    /// Opens a file that will be at `path`. Fails, naming the path, if its
    /// folder does not exist or cannot be written to, or if the path is a
    /// folder or a file that is read-only.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let state = State::open(path).map_err(|error| explain(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            state,
        })
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything to the disk and puts the file at its path, in place of
    /// the previous one; its mode is the previous file's or what the umask
    /// gives. On failure the previous file is untouched.
    pub fn commit(self) -> io::Result<()> {
        let path = self.path;
        self.state.commit().map_err(|error| explain(&path, &error))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Direct(file) => file.write(bytes),
            State::Replacing { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Direct(file) => file.flush(),
            State::Replacing { file, .. } => file.flush(),
        }
    }
}

impl State {
    fn open(path: &Path) -> io::Result<Self> {
        let Ok(existing) = fs::metadata(path) else {
            return Self::replacing(path.to_owned(), None);
        };
        if existing.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !existing.is_file() || path.starts_with("/dev") || path.starts_with("/proc") {
            // Appending, so that `-o /dev/stdout >> file` keeps what is in the file.
            let file = OpenOptions::new().append(true).open(path)?;
            return Ok(Self::Direct(BufWriter::with_capacity(BUFFER_BYTES, file)));
        }
        if is_read_only(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Self::replacing(fs::canonicalize(path)?, Some(existing.permissions()))
    }

    fn replacing(target: PathBuf, permissions: Option<Permissions>) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(first_permissions(permissions.as_ref()));
        let file = BufWriter::with_capacity(BUFFER_BYTES, builder.tempfile_in(folder(&target))?);
        Ok(Self::Replacing {
            file,
            target,
            permissions,
        })
    }

    fn commit(self) -> io::Result<()> {
        match self {
            Self::Direct(mut file) => file.flush(),
            Self::Replacing {
                file,
                target,
                permissions,
            } => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                if let Some(permissions) = permissions {
                    file.as_file().set_permissions(permissions)?;
                }
                file.as_file().sync_all()?;
                file.persist(&target)?;
                // The rename itself is on the disk once the folder is; not every
                // file system can be asked for that, and the file is whole anyway.
                let _ = File::open(folder(&target)).and_then(|folder| folder.sync_all());
                Ok(())
            }
        }
    }
}

/// The mode while writing: never wider than the previous file's, so that what
/// was private stays private, and cut by the umask.
#[cfg(unix)]
fn first_permissions(previous: Option<&Permissions>) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(previous.map_or(0o666, |previous| previous.mode() & 0o777))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The error with the path and what is the matter with it.
fn explain(path: &Path, error: &io::Error) -> io::Error {
    let shown = path.display();
    let folder = folder(path);
    let reason = match error.kind() {
        io::ErrorKind::IsADirectory => "it is a folder; name a file in it".to_owned(),
        io::ErrorKind::PermissionDenied if is_read_only(path) => "it is read-only".to_owned(),
        io::ErrorKind::NotFound if !folder.exists() => {
            format!("the folder '{}' does not exist", folder.display())
        }
        io::ErrorKind::NotADirectory => format!("'{}' is not a folder", folder.display()),
        io::ErrorKind::PermissionDenied => {
            format!("no permission to write in '{}'", folder.display())
        }
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("cannot write '{shown}': {reason}"))
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|existing| existing.permissions().readonly())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn nothing_is_at_the_path_before_commit_and_all_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vip.csv");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"id\n1\n").unwrap();
        file.flush().unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "id\n1\n");
        assert_eq!(names(folder.path()), ["vip.csv"]);
    }

    #[test]
    fn failing_midway_leaves_the_previous_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vip.csv");
        fs::write(&path, "previous").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(&vec![b'x'; 3 * BUFFER_BYTES]).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "previous");
        assert_eq!(names(folder.path()), ["vip.csv"]);
    }

    #[test]
    fn errors_say_what_is_the_matter() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let message = |name: &str| AtomicFile::create(at(name)).unwrap_err().to_string();
        assert_eq!(
            message("no/vip.csv"),
            format!(
                "cannot write '{}': the folder '{}' does not exist",
                at("no/vip.csv"),
                at("no")
            )
        );
        fs::create_dir(at("dir")).unwrap();
        assert_eq!(
            message("dir"),
            format!(
                "cannot write '{}': it is a folder; name a file in it",
                at("dir")
            )
        );
        fs::write(at("file"), "").unwrap();
        assert_eq!(
            message("file/x"),
            format!(
                "cannot write '{}': '{}' is not a folder",
                at("file/x"),
                at("file")
            )
        );
    }

    #[cfg(unix)]
    mod unix {
        use super::*;
        use std::os::unix::fs::{PermissionsExt, symlink};

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        fn write(path: &Path) {
            let mut file = AtomicFile::create(path).unwrap();
            file.write_all(b"new").unwrap();
            file.commit().unwrap();
        }

        #[test]
        fn the_mode_is_the_previous_or_that_of_any_new_file() {
            let folder = tempfile::tempdir().unwrap();
            let (ordinary, path) = (folder.path().join("ordinary"), folder.path().join("out"));
            fs::write(&ordinary, "").unwrap();
            write(&path);
            assert_eq!(mode(&path), mode(&ordinary));
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            let file = AtomicFile::create(&path).unwrap();
            let State::Replacing {
                file: temporary, ..
            } = &file.state
            else {
                panic!("{file:?}")
            };
            assert_eq!(mode(temporary.get_ref().path()) & !0o640, 0);
            file.commit().unwrap();
            assert_eq!(mode(&path), 0o640);
            fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
            let error = AtomicFile::create(&path).unwrap_err().to_string();
            assert!(error.ends_with("out': it is read-only"), "{error}");
        }

        #[test]
        fn a_link_stays_and_its_target_is_replaced() {
            let folder = tempfile::tempdir().unwrap();
            let (target, link) = (folder.path().join("target"), folder.path().join("link"));
            fs::write(&target, "previous").unwrap();
            symlink(&target, &link).unwrap();
            write(&link);
            assert_eq!(fs::read_to_string(&target).unwrap(), "new");
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }

        #[test]
        fn devices_are_written_directly() {
            let mut file = AtomicFile::create("/dev/null").unwrap();
            assert!(matches!(file.state, State::Direct(_)));
            file.write_all(b"gone").unwrap();
            file.commit().unwrap();
            assert!(!fs::metadata("/dev/null").unwrap().is_file());
        }
    }
}
