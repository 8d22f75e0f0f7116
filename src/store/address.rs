//! Where a store is: a folder of this machine, or a bucket of an object store.

use std::fmt;
use std::path::{Path, PathBuf};

use datafusion::object_store::path::Path as StorePath;

use crate::error::{Error, Result};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine.
    Folder(PathBuf),
    /// What lies below a prefix of a bucket of S3, or of what speaks as it does.
    Bucket {
        /// Its name.
        bucket: String,
        /// Folders in it; none for all of it.
        prefix: StorePath,
    },
}

impl Address {
    /// Reads what someone wrote: a folder, or `s3://bucket/prefix`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::usage("the store is an empty text").hint(PLACES));
        }
        match text.split_once("://") {
            None => Ok(Self::Folder(PathBuf::from(text))),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("s3") => in_bucket(rest),
            // What follows may hold a password.
            Some((scheme, _)) => {
                Err(Error::usage(format!("no store can be at '{scheme}://…'")).hint(PLACES))
            }
        }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket { .. } => None,
        }
    }
}

const PLACES: &str = "a store is a folder, or s3://bucket/prefix";

fn in_bucket(rest: &str) -> Result<Address> {
    let is_secret = rest.contains(['@', '?', '#']);
    if is_secret {
        return Err(Error::usage("the address of the store holds more than a bucket and a prefix")
            .hint("credentials are read from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN")
            .hint(PLACES));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_part) {
        return Err(
            Error::usage(format!("store 's3://{rest}': '{bucket}' names no bucket")).hint(PLACES),
        );
    }
    let parsed = StorePath::parse(prefix).ok();
    let prefix = parsed.filter(|_| !prefix.starts_with('/')).ok_or_else(|| {
        Error::usage(format!("store 's3://{rest}': '{prefix}' is no prefix"))
            .hint("a prefix is names with single slashes between them, none of them . or ..")
    })?;
    Ok(Address::Bucket {
        bucket: bucket.to_owned(),
        prefix,
    })
}

impl From<PathBuf> for Address {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<&Path> for Address {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket { bucket, prefix } if prefix.is_root() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let shown = |text: &str| Address::parse(text).map(|it| it.to_string());
        assert_eq!(shown("a/b").expect("a folder"), "a/b");
        assert_eq!(shown("s3://b").expect("a bucket"), "s3://b");
        assert_eq!(shown("S3://b/x/y/").expect("a prefix"), "s3://b/x/y");
        assert!(Address::parse("a/b").expect("a folder").folder().is_some());
        for wrong in ["", "s3://", "s3:///x", "s3://b//x", "s3://b/../x", "gs://b"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for address in [
            "s3://key:secret@b/x",
            "https://key:secret@host/b",
            "s3://b/x?sig=secret",
        ] {
            let error = Address::parse(address).expect_err("refused");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
