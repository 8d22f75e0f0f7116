//! Rows of frozen views, those that count and those that did before.

use datafusion::object_store::ObjectStoreExt;
use serde_json::Value;

use super::super::json::Reading;
use super::super::place::Entry;
use super::Erasing;
use crate::error::Result;

impl Erasing<'_> {
    /// By a record of a frozen view: its rows without the person, then the record, then
    /// the old rows go. What is built on the view is computed anew when it is run.
    pub(super) async fn frozen(&mut self, entry: &Entry) -> Result<()> {
        let Some((folder, name)) = entry.file.rsplit_once('/') else {
            return Ok(());
        };
        let Some(own) = name.strip_suffix(".json") else {
            return Ok(());
        };
        let store = self.store;
        let path = store.layout.at(&entry.file)?;
        let Reading::Whole(mut record) = store.read_record::<Value>(&path).await? else {
            self.done.unread.insert(entry.file.clone());
            return Ok(());
        };
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        let rows = |id: &str| format!("{folder}/{id}.parquet");
        let old = store.layout.at(&rows(&id))?;
        if !self.holds("frozen view", None, &old, None).await || self.dry_run {
            return Ok(());
        }
        let mut others = store.others(self.person, &old, None).await?;
        let mut writer = store.writer(others.schema.clone())?;
        while let Some((rest, _)) = others.next().await? {
            writer.write(rest).await?;
        }
        let written = writer.finish(&others.definition).await?;
        store.sync(written.path()).await?;
        let new = store.layout.at(&rows(&written.id))?;
        let renamed = store.objects.rename(written.path(), &new).await;
        renamed.map_err(|error| store.failed(error))?;
        record["id"] = written.id.clone().into();
        record["rows"] = written.rows.into();
        // Rows that counted before have a record that is called as they are.
        if own == id {
            let path = store.layout.at(&format!("{folder}/{}.json", written.id))?;
            store.write_json(&path, &record).await?;
            store.remove(&entry.file).await?;
        } else {
            store.write_json(&path, &record).await?;
        }
        store.remove(&rows(&id)).await
    }
}
