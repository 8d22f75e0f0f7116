//! What earlier runs left behind, for the selectors `changed` and `failed`.

use std::collections::BTreeSet;

use super::fingerprint::Fingerprint;
use super::{Engine, RunRequest};
use crate::catalog::{Definition, Inputs, Reference};
use crate::error::Result;
use crate::plan::{Known, asks_about};
use crate::statement::Kind;
use crate::store::{NodeStatus, SnapshotRecord};

impl Engine {
    /// Finds out what the selectors of a request ask about.
    pub(super) async fn known(&self, request: &RunRequest) -> Result<Known> {
        let asks =
            |word: &str| asks_about(&request.selectors, word) || asks_about(&request.exclude, word);
        let mut known = Known::default();
        if asks("changed") {
            known.changed = self.changed().await?;
        }
        if asks("failed") {
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

    /// Whose texts, variables or files differ from those of the last snapshot.
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
            let now = Fingerprint::new(&self.catalog, &inputs, &evaluation, &definition.name);
            let same = match (&last, &now) {
                (Some(last), Ok(now)) => is_same(last, now),
                _ => false,
            };
            if !same {
                changed.insert(definition.name.clone());
            }
        }
        Ok(changed)
    }
}

fn is_same(last: &SnapshotRecord, now: &Fingerprint) -> bool {
    last.definitions == now.definitions
        && last.variables == now.variables
        && last.inputs == now.inputs
}
