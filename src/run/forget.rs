//! `segql forget`: whom a key means, and that the store erases them.

use super::Engine;
use crate::catalog::{Definition, entity_key, fits};
use crate::error::{Error, Result};
use crate::statement::Kind;
use crate::store::{Forgotten, Person, SnapshotRecord};

impl Engine {
    /// Erases from the store whoever has this key; the entity may be left out when there
    /// is one or none. With `dry_run` it is only found out where they are. `waits` is
    /// called when a run at work has to be waited for.
    pub async fn forget(
        &self,
        key: &str,
        entity: Option<&str>,
        dry_run: bool,
        waits: impl FnOnce(),
    ) -> Result<Forgotten> {
        if key.is_empty() {
            return Err(Error::usage("the key is an empty text"));
        }
        let entity = self.entity_meant(entity)?;
        let column = entity.map(entity_key);
        let is_of = |record: &SnapshotRecord| match (entity, &column) {
            (Some(entity), Some(column)) => self.is_about(record, entity, column),
            _ => true,
        };
        self.check_key(key, &is_of).await?;
        let person = Person {
            key,
            column: column.as_deref(),
            is_of: &is_of,
        };
        self.store.forget(&person, dry_run, waits).await
    }

    /// Where keys are whole numbers, a text that is none would be found nowhere, and who
    /// asked would think that somebody is gone.
    async fn check_key(
        &self,
        key: &str,
        is_of: &(dyn Fn(&SnapshotRecord) -> bool + Sync),
    ) -> Result<()> {
        let kept = self.store.snapshots().await?;
        let about = kept.iter().filter(|record| is_of(record));
        let types: Vec<&str> = about
            .filter_map(|record| record.columns.iter().find(|it| it.name == record.key))
            .map(|column| column.data_type.as_str())
            .collect();
        let is_number = |it: &&str| it.starts_with("Int") || it.starts_with("UInt");
        let are_numbers = !types.is_empty() && types.iter().all(is_number);
        let number = key.parse::<i128>().map(|it| it.to_string());
        match are_numbers && number.as_deref() != Ok(key) {
            true => Err(
                Error::usage(format!("'{key}' is no key: keys are whole numbers here"))
                    .hint("give one key, as segql.members shows it"),
            ),
            false => Ok(()),
        }
    }

    fn entity_meant(&self, name: Option<&str>) -> Result<Option<&Definition>> {
        if let Some(name) = name {
            let found = self.catalog.get(name, &[Kind::Entity])?;
            return Ok(Some(found.as_ref()));
        }
        let all: Vec<&Definition> = self
            .catalog
            .of_kind(Kind::Entity)
            .map(AsRef::as_ref)
            .collect();
        match all.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => {
                let names: Vec<&str> = several.iter().map(|it| it.name.as_str()).collect();
                Err(
                    Error::usage("whose key is it? The project has several entities")
                        .hint(format!("--entity names one of {}", names.join(", "))),
                )
            }
        }
    }

    /// Is a snapshot about this entity? As its definition says; where that is gone, or
    /// says nothing, its key tells.
    fn is_about(&self, record: &SnapshotRecord, entity: &Definition, column: &str) -> bool {
        let definition = self.catalog.find(&record.segment);
        let named = definition.and_then(|it| it.create.options.text("entity"));
        match named {
            Some(name) => name.eq_ignore_ascii_case(&entity.name),
            None => fits(&record.key, column),
        }
    }
}
