//! What is kept under a key: a checksum on the first line, then JSON.

use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Kept, Part, is_plain};

/// Goes up when the files change their form.
const FORMAT: u32 = 1;

/// The ending of an entry's file.
const ENDING: &str = ".json";

/// An entry is a list of files; one larger than this is none of ours.
const MAX_BYTES: u64 = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    format: u32,
    key: String,
    about: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unfit: Option<u64>,
    pub(super) parts: Vec<Part>,
}

pub(super) fn name(key: &str) -> String {
    format!("{key}{ENDING}")
}

impl Entry {
    pub(super) fn new(key: &str, about: &str, parts: Vec<Part>) -> Self {
        Self {
            format: FORMAT,
            key: key.to_owned(),
            about: about.to_owned(),
            unfit: None,
            parts,
        }
    }

    /// The entry of a key, if it is whole and its own.
    pub(super) fn read(folder: &Path, key: &str) -> Option<Self> {
        let path = folder.join(name(key));
        if std::fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let text = std::fs::read_to_string(path).ok()?;
        let (sum, body) = text.split_once('\n')?;
        if sum != checksum(body.as_bytes()) {
            return None;
        }
        let entry: Self = serde_json::from_str(body).ok()?;
        let names = entry.parts.iter().flat_map(|part| &part.shards);
        let own = names.map(|shard| &shard.name).all(|name| is_plain(name));
        (own && entry.format == FORMAT && entry.key == key).then_some(entry)
    }

    /// Every entry that can be read, with the time of its last use.
    pub(super) fn all(folder: &Path) -> Vec<(Self, SystemTime)> {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let read = files.filter_map(|file| {
            let name = file.file_name();
            let key = name.to_str()?.strip_suffix(ENDING)?;
            let used = file.metadata().ok()?.modified().ok()?;
            Some((Self::read(folder, key)?, used))
        });
        read.collect()
    }

    /// Takes its place in one step.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let body = serde_json::to_string(self)?;
        let mut file = tempfile::Builder::new()
            .prefix("new-")
            .tempfile_in(folder)?;
        writeln!(file, "{}", checksum(body.as_bytes()))?;
        file.write_all(body.as_bytes())?;
        file.persist(folder.join(name(&self.key)))?;
        Ok(())
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum()
    }

    pub(super) fn summary(self, used: SystemTime) -> Kept {
        Kept {
            files: self.parts.iter().map(|part| part.files.len() as u64).sum(),
            input_rows: self.parts.iter().map(|part| part.input_rows).sum(),
            rows: self.parts.iter().map(|part| part.rows).sum(),
            bytes: self.bytes(),
            about: self.about,
            used,
        }
    }
}

pub(super) fn checksum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
