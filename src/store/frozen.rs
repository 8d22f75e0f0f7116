//! Frozen views: rows that were computed once and count until they are frozen anew.
//!
//! ```text
//! <store>/_segql/frozen/<view>/record.json    what counts, written last
//! <store>/_segql/frozen/<view>/<id>.parquet   its rows
//! <store>/_segql/frozen/<view>/<id>.json      the record of rows that counted before
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::path::Path as StorePath;
use serde::{Deserialize, Serialize};

use super::json::{self, Reading};
use super::{Column, Inputs, SegmentLock, Store, StoredFile, Written};
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
        match self.read_record(&self.layout.frozen(name, RECORD)?).await? {
            Reading::Whole(record) => Ok(Some(record)),
            Reading::Missing => Ok(None),
            Reading::Damaged => Err(damaged(name, "its record cannot be read")),
        }
    }

    /// The file with the rows of a frozen view.
    pub async fn frozen_file(&self, record: &FrozenRecord) -> Result<StoredFile> {
        let path = self.rows_of(record)?;
        match self.footer(&path).await? {
            Some((meta, id)) if id == record.id => Ok(self.stored(meta)),
            _ => Err(damaged(
                &record.name,
                &format!("'{}' does not hold its rows", self.layout.shown(&path)),
            )),
        }
    }

    /// Where that file is: a path, or a URL.
    pub fn frozen_path(&self, record: &FrozenRecord) -> Result<String> {
        self.told(&self.rows_of(record)?)
    }

    fn rows_of(&self, record: &FrozenRecord) -> Result<StorePath> {
        let file = format!("{}.parquet", record.id);
        self.layout.frozen(&record.name, &file)
    }

    /// Waits until nobody else freezes this view; in a bucket, notes which record there
    /// is, for [`Self::freeze`] to find out whether another came first.
    pub async fn lock_frozen(&self, name: &str) -> Result<SegmentLock> {
        // No segment is called so.
        let path = self.layout.lock(&format!("frozen:{name}"))?;
        self.lock_for(&path, &self.layout.frozen(name, RECORD)?)
            .await
    }

    /// Puts written rows in their place, then their record; those that counted before
    /// stay readable under their id. False when another run froze the view meanwhile.
    pub async fn freeze(
        &self,
        lock: &SegmentLock,
        written: Written,
        record: &FrozenRecord,
    ) -> Result<bool> {
        let result = self.put_frozen(lock, &written, record).await;
        if !matches!(result, Ok(true)) || self.address.folder().is_none() {
            let _ = self.objects.delete(written.path()).await;
        }
        result
    }

    async fn put_frozen(
        &self,
        lock: &SegmentLock,
        written: &Written,
        record: &FrozenRecord,
    ) -> Result<bool> {
        self.sync(written.path()).await?;
        self.put_file(written.path(), &self.rows_of(record)?)
            .await?;
        let before = self.frozen(&record.name).await.unwrap_or(None);
        if let Some(before) = before.filter(|before| before.id != record.id) {
            let kept = format!("{}.json", before.id);
            let kept = self.layout.frozen(&record.name, &kept)?;
            self.write_json(&kept, &before).await?;
        }
        let path = self.layout.frozen(&record.name, RECORD)?;
        self.put_on_condition(lock, &path, json::bytes(record)?)
            .await
    }
}

const RECORD: &str = "record.json";

fn damaged(name: &str, why: &str) -> Error {
    Error::new(format!(
        "what is kept of frozen view '{name}' is damaged: {why}"
    ))
    .hint(format!("segql run --refreeze {name} computes it anew"))
}
