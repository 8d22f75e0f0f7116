//! Frozen views: rows that were computed once and count until they are frozen anew.
//!
//! ```text
//! <store>/_segql/frozen/<view>/record.json    what counts, written last
//! <store>/_segql/frozen/<view>/<id>.parquet   its rows
//! <store>/_segql/frozen/<view>/<id>.json      the record of rows that counted before
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use datafusion::object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};

use super::{Column, Inputs, SegmentLock, Store, Written, at, write};
use crate::error::{Error, Result};

/// The rows of a frozen view, and what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenRecord {
    /// Name of the view.
    pub name: String,
    /// Its definition.
    pub text: String,
    /// `AS OF` as written.
    pub as_of: String,
    /// The very instant it was evaluated at.
    pub instant: DateTime<Utc>,
    /// Zone in which days were reckoned.
    pub time_zone: String,
    /// Checksum of the rows, their id.
    pub id: String,
    /// How many rows.
    pub rows: u64,
    /// All columns.
    pub columns: Vec<Column>,
    /// Sets of columns of which no two rows have the same values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_keys: Vec<Vec<String>>,
    /// Texts of the definition and of all it rests on, by name.
    pub definitions: BTreeMap<String, String>,
    /// Values of variables.
    pub variables: BTreeMap<String, String>,
    /// Files that were read.
    pub inputs: Vec<Inputs>,
    /// Frozen views that were read: date and id, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub frozen: BTreeMap<String, String>,
    /// Definitions among those it rests on that may give other rows on another run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nondeterministic: Vec<String>,
    /// Sources it rests on that have no times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeless: Vec<String>,
    /// Version of segql.
    pub version: String,
    /// When it was frozen.
    pub started: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
}

impl Store {
    /// What is kept of a frozen view. A damaged record is an error, not nothing: to
    /// compute the rows anew in silence could change them.
    pub async fn frozen(&self, name: &str) -> Result<Option<FrozenRecord>> {
        let path = self.layout.frozen(name).join(RECORD);
        let read = self.read_json(&path).await;
        read.map_err(|error| damaged(name, error.message()))
    }

    /// The file with the rows of a frozen view.
    pub fn frozen_file(&self, record: &FrozenRecord) -> Result<PathBuf> {
        let path = self.frozen_path(record);
        match write::id_of(&path)?.as_deref() == Some(record.id.as_str()) {
            true => Ok(path),
            false => Err(damaged(
                &record.name,
                &format!("'{}' does not hold its rows", path.display()),
            )),
        }
    }

    /// Where that file is.
    pub fn frozen_path(&self, record: &FrozenRecord) -> PathBuf {
        let folder = self.layout.frozen(&record.name);
        folder.join(format!("{}.parquet", record.id))
    }

    /// Waits until nobody else freezes this view.
    pub async fn lock_frozen(&self, name: &str) -> Result<SegmentLock> {
        // No segment is called so.
        self.lock(&format!("frozen:{name}")).await
    }

    /// Puts written rows in their place, then their record; those that counted before
    /// stay readable under their id. What fails before that leaves nothing staged.
    pub async fn freeze(&self, written: Written, record: &FrozenRecord) -> Result<()> {
        let staged = at(written.path())?;
        let result = self.put_frozen(written, record).await;
        if result.is_err() {
            let _ = self.objects.delete(&staged).await;
        }
        result
    }

    async fn put_frozen(&self, written: Written, record: &FrozenRecord) -> Result<()> {
        let folder = self.layout.frozen(&record.name);
        written.sync().await?;
        let (from, to) = (at(written.path())?, at(&self.frozen_path(record))?);
        self.objects.rename(&from, &to).await?;
        let before = self.frozen(&record.name).await.unwrap_or(None);
        if let Some(before) = before.filter(|before| before.id != record.id) {
            let kept = folder.join(format!("{}.json", before.id));
            self.write_json(&kept, &before).await?;
        }
        self.write_json(&folder.join(RECORD), record).await
    }
}

const RECORD: &str = "record.json";

fn damaged(name: &str, why: &str) -> Error {
    Error::new(format!(
        "what is kept of frozen view '{name}' is damaged: {why}"
    ))
    .hint(format!("segql run --refreeze {name} computes it anew"))
}
