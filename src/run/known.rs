//! What earlier runs left behind, for the selectors `changed` and `failed`.

use std::collections::BTreeSet;

use super::Engine;
use super::fingerprint::Fingerprint;
use crate::catalog::{Definition, Evaluation, Inputs, Reference};
use crate::error::Result;
use crate::plan::{Known, Selection};
use crate::session::{Moment, parse_zone};
use crate::statement::Kind;
use crate::store::{NodeStatus, SnapshotRecord};

/// Was it made for all of its day, as opposed to an instant in it?
fn is_whole_day(record: &SnapshotRecord) -> Result<bool> {
    let end = Moment::end_of(record.as_of, parse_zone(&record.time_zone)?)?;
    Ok(record.instant.timestamp_nanos_opt() == Some(end.nanos()))
}

impl Engine {
    /// Finds out what selectors ask about.
    pub(super) async fn known(&self, selection: &Selection) -> Result<Known> {
        let mut known = Known::default();
        if selection.asks_about("changed") {
            known.changed = self.changed().await?;
        }
        if selection.asks_about("failed") {
            known.failed = self.failed().await?;
        }
        Ok(known)
    }

    async fn failed(&self) -> Result<BTreeSet<String>> {
        let last = self.store.runs().await?.pop();
        let nodes = last.into_iter().flat_map(|run| run.nodes);
        Ok(nodes
            .filter(|node| matches!(node.status, NodeStatus::Error | NodeStatus::Skipped))
            .map(|node| node.name)
            .filter(|name| self.catalog.find(name).is_some())
            .collect())
    }

    /// What would not be made from the same any more, each at the date of its last
    /// snapshot.
    async fn changed(&self) -> Result<BTreeSet<String>> {
        let evaluation = self.evaluation()?;
        let of_kind = |kind| self.catalog.of_kind(kind);
        let all: Vec<&Definition> = of_kind(Kind::Segment)
            .chain(of_kind(Kind::Segmentation))
            .map(AsRef::as_ref)
            .filter(|it| it.library.is_none())
            .collect();
        let mentions: Vec<Reference> = all.iter().map(|it| Reference::to(&it.name)).collect();
        let inputs = Inputs::collect(self.world(&evaluation), &mentions).await?;
        let mut changed = BTreeSet::new();
        for definition in all {
            let last = self.store.snapshots_of(&definition.name).await?.pop();
            let is_same = match last {
                Some(last) => self.is_same(definition, &inputs, &last).await?,
                None => false,
            };
            if !is_same {
                changed.insert(definition.name.clone());
            }
        }
        Ok(changed)
    }

    async fn is_same(
        &self,
        definition: &Definition,
        inputs: &Inputs,
        last: &SnapshotRecord,
    ) -> Result<bool> {
        let made_from = || {
            let evaluation = self.evaluation()?;
            let zone = evaluation.moment.zone();
            // A date is another instant in another zone.
            let moment = match is_whole_day(last)? {
                true => Moment::end_of(last.as_of, zone)?,
                false => Moment::at(last.instant, zone),
            };
            let evaluation = Evaluation {
                moment,
                ..evaluation
            };
            Fingerprint::new(&self.catalog, inputs, &evaluation, &definition.name)
        };
        let same = made_from().is_ok_and(|now: Fingerprint| now.sum == last.fingerprint);
        Ok(same && self.store.is_in_place(last).await?)
    }
}
