//! What has to hold before a computed snapshot may take its place: guard rails,
//! and that a finished day is not said anew in silence.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use datafusion::prelude::ident;

use super::materialize::Run;
use crate::catalog::{Change, Definition, GuardRails, SnapshotTable};
use crate::error::{Error, Exit, Result};
use crate::source::changed;
use crate::statement::Body;
use crate::store::{NodeStatus, SnapshotRecord, StoredFile, Written};

impl Run<'_> {
    /// Completes the record of what was written and says how it counts; fails
    /// when it must not take the place of what is there.
    pub(super) async fn admit(
        &self,
        definition: &Definition,
        record: &mut SnapshotRecord,
        written: &Written,
    ) -> Result<NodeStatus> {
        let store = &self.engine.store;
        for input in &record.inputs {
            if let Some(file) = changed(&input.files) {
                return Err(Error::new(format!(
                    "source {}: '{}' changed while it was read",
                    input.source,
                    file.display()
                ))
                .hint("run again when it is complete"));
            }
        }
        let staged = &store.staged_file(written).await?;
        if let Err(error) = self.check_guard_rails(definition, record, staged).await {
            match (self.request.force, error.exit_class()) {
                (true, Exit::CheckFailed) => record.forced = Some(error.message().to_owned()),
                // The rails could not be looked at: nothing to go past.
                (_, exit) if exit != Exit::CheckFailed => return Err(error),
                _ => {
                    return Err(error.hint("--force, or MATERIALIZE … WITH (force = true), writes it all the same; the record says so"));
                }
            }
        }
        let kept = store.snapshot(&record.segment, record.as_of).await?;
        let Some(kept) = kept.filter(|kept| !kept.provisional) else {
            return Ok(NodeStatus::Success);
        };
        // What is damaged says nothing.
        if store.find(&kept).await?.is_none() {
            return Ok(NodeStatus::Success);
        }
        if kept.id == record.id {
            record.restates = kept.restates;
            record.forgotten = kept.forgotten;
            // Finished once is finished, whatever zone this run reckons in.
            record.provisional = false;
            return Ok(NodeStatus::Unchanged);
        }
        if !self.request.restate {
            let change = self.change(&kept, record, staged, None).await?;
            let rest = match change.entered + change.left {
                0 => ", but labels or other columns differ",
                _ => "",
            };
            return Err(Error::new(format!(
                "the snapshot of {} as of {} is finished and would change: {} enter, {} leave, {} → {} members{rest}",
                record.segment, record.as_of, change.entered, change.left, kept.rows, record.rows
            ))
            .hint("--restate, or MATERIALIZE … WITH (restate = true), replaces it and keeps the old version"));
        }
        record.restates = Some(kept.id);
        Ok(NodeStatus::Success)
    }

    async fn check_guard_rails(
        &self,
        definition: &Definition,
        record: &SnapshotRecord,
        staged: &StoredFile,
    ) -> Result<()> {
        let rails = GuardRails::read(&definition.create.options)?;
        rails.check_size(&definition.name, record.rows)?;
        let of_labels = label_rails(definition)?;
        let asks = of_labels.iter().map(|(_, rails)| rails).chain([&rails]);
        let previous = match asks.into_iter().any(|it| it.max_change.is_some()) {
            true => self.earlier(record).await?,
            false => None,
        };
        if let (Some(previous), Some(_)) = (&previous, rails.max_change) {
            let change = self.change(previous, record, staged, None).await?;
            rails.check_change(&definition.name, change)?;
        }
        for (label, rails) in of_labels {
            let name = format!("{}:{label}", definition.name);
            rails.check_size(&name, record.labels.get(label).copied().unwrap_or(0))?;
            if let (Some(previous), Some(_)) = (&previous, rails.max_change) {
                let change = self.change(previous, record, staged, Some(label)).await?;
                rails.check_change(&name, change)?;
            }
        }
        Ok(())
    }

    /// The latest snapshot of an earlier date.
    async fn earlier(&self, record: &SnapshotRecord) -> Result<Option<SnapshotRecord>> {
        let all = self.engine.store.snapshots_of(&record.segment).await?;
        let mut earlier = all.into_iter().filter(|it| it.as_of < record.as_of);
        Ok(earlier.next_back())
    }

    /// Who came and went between a snapshot of the store and what is staged.
    async fn change(
        &self,
        previous: &SnapshotRecord,
        record: &SnapshotRecord,
        staged: &StoredFile,
        label: Option<&str>,
    ) -> Result<Change> {
        let file = self.engine.store.file(previous).await?;
        let before = keys(previous, file, label, "before")?;
        let after = keys(record, staged.clone(), label, "after")?;
        let both = before.clone().join_on(
            after.clone().build()?,
            JoinType::Inner,
            [column("before").eq(column("after"))],
        )?;
        let both = self.engine.count(both).await?;
        let previous = self.engine.count(before).await?;
        Ok(Change {
            previous,
            entered: self.engine.count(after).await? - both,
            left: previous - both,
        })
    }
}

fn column(relation: &str) -> Expr {
    Expr::Column(datafusion::common::Column::new(Some(relation), "key"))
}

/// The keys in a snapshot's file as text, each once.
fn keys(
    record: &SnapshotRecord,
    file: StoredFile,
    label: Option<&str>,
    name: &str,
) -> Result<LogicalPlanBuilder> {
    let table = provider_as_source(Arc::new(SnapshotTable::within(file, record)?));
    let mut rows = LogicalPlanBuilder::scan(TableReference::bare(name), table, None)?;
    if let (Some(label), Some(column)) = (label, &record.label) {
        rows = rows.filter(ident(column.as_str()).eq(lit(label)))?;
    }
    let key = cast(ident(record.key.as_str()), DataType::Utf8);
    Ok(rows.project([key.alias("key")])?.distinct()?.alias(name)?)
}

/// The guard rails of the labels that have some.
pub(super) fn label_rails(definition: &Definition) -> Result<Vec<(&str, GuardRails)>> {
    let Body::Query { labels, .. } = &definition.create.body else {
        return Ok(vec![]);
    };
    let read = labels.iter().map(|label| {
        let rails = GuardRails::read(&label.options)?;
        Ok((label.name.as_str(), rails))
    });
    read.collect()
}
