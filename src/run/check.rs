//! `segql check`: checks find nothing, keys are sound.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;

use super::Engine;
use super::admit::label_rails;
use crate::catalog::{
    Binder, Definition, Evaluation, Graph, GuardRails, Inputs, Reference, SharedTables,
};
use crate::error::{Error, Exit, Result};
use crate::statement::Kind;

/// What a check came to.
#[derive(Debug, Clone)]
pub enum CheckResult {
    /// It holds.
    Passed,
    /// So many rows break it.
    Violated(u64),
    /// It could not be run, or a key rule is broken.
    Failed(Error),
    /// It is probably not what is wanted.
    Warned(String),
    /// Worth knowing, and often all right.
    Noted(String),
}

/// One check, or a rule that holds of every definition.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The check, segment, entity or definition.
    pub name: String,
    /// `check`, `key` (one row per key of a segment), `entity key`, `guard rails`,
    /// `definition` (it cannot be planned), `one version` (of a source's key),
    /// `frozen` (what is kept of a view), `rejects`, `point in time`, `event time`, `order status`, or `entity` (keys that it does not list).
    pub rule: &'static str,
    /// What it came to.
    pub result: CheckResult,
}

impl Engine {
    /// Runs every check and the key rule of every segment.
    pub async fn check(&self) -> Result<Vec<CheckReport>> {
        let faults = self.faults();
        let mentions: Vec<Reference> = self
            .catalog
            .all()
            .flat_map(|definition| definition.references.iter().cloned())
            .chain(
                self.catalog
                    .all()
                    .map(|definition| Reference::to(&definition.name)),
            )
            .collect();
        let evaluation = self.evaluation()?;
        let inputs = Inputs::collect(self.world(&evaluation), &mentions).await?;
        let mut reports: Vec<CheckReport> = faults
            .iter()
            .map(|(id, error)| CheckReport {
                name: id.clone(),
                rule: "definition",
                result: CheckResult::Failed(error.clone()),
            })
            .collect();
        let mut broken = BTreeSet::new();
        for entity in self.catalog.of_kind(Kind::Entity) {
            let result = self.key_of_entity(entity, &inputs, &evaluation).await;
            if result
                .as_ref()
                .is_err_and(|it| it.exit_class() != Exit::CheckFailed)
            {
                broken.insert(entity.name.clone());
            }
            reports.push(CheckReport {
                name: entity.name.clone(),
                rule: "entity key",
                result: result.map_or_else(CheckResult::Failed, |()| CheckResult::Passed),
            });
        }
        for check in self.catalog.of_kind(Kind::Check) {
            let result = self.violations(check, &inputs, &evaluation).await;
            reports.push(CheckReport {
                name: check.name.clone(),
                rule: "check",
                result: match result {
                    Ok(0) => CheckResult::Passed,
                    Ok(rows) => CheckResult::Violated(rows),
                    Err(error) => CheckResult::Failed(error),
                },
            });
        }
        let mut strangers = vec![];
        for kind in [Kind::Segment, Kind::Segmentation] {
            let all = self.catalog.of_kind(kind);
            for segment in all.filter(|it| self.is_of_the_project(it)) {
                let size = self.size(segment, &broken, &inputs, &evaluation).await;
                strangers.extend(size.as_ref().ok().and_then(|it| it.strangers(segment)));
                reports.extend(rules_of(segment, size));
            }
        }
        reports.extend(self.frozen_reports(&inputs, &evaluation).await);
        reports.extend(self.lint(&inputs, &evaluation).await?);
        reports.extend(self.order_statuses(&inputs, &evaluation).await);
        reports.extend(strangers);
        Ok(reports)
    }

    /// What a library has is only looked at where the project builds on it.
    fn is_of_the_project(&self, segment: &Definition) -> bool {
        let is_own = |id: &String| {
            let found = self.catalog.find_id(id);
            found.is_some_and(|it| it.library.is_none())
        };
        let above = || Graph::new(&self.catalog).above(&segment.id());
        segment.library.is_none() || above().iter().any(is_own)
    }

    async fn violations(
        &self,
        check: &Arc<Definition>,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<u64> {
        let world = self.world(evaluation);
        let plan = Binder::new(world, inputs, &SharedTables::new())?.definition(check)?;
        let mut rows = self.stream(&plan).await?;
        let mut count = 0;
        while let Some(batch) = rows.next().await.transpose()? {
            count += batch.num_rows() as u64;
        }
        Ok(count)
    }

    /// The table of an entity lists everyone once.
    async fn key_of_entity(
        &self,
        entity: &Arc<Definition>,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<()> {
        let world = self.world(evaluation);
        let plan = Binder::new(world, inputs, &SharedTables::new())?.keys_of_entity(entity)?;
        let mut members = self.members(entity, plan).await?;
        while members.next().await?.is_some() {}
        Ok(())
    }

    /// Computes a segment once; fails when a key rule is broken. `broken` are
    /// entities that cannot be asked whom they list, which is said of themselves.
    async fn size(
        &self,
        segment: &Arc<Definition>,
        broken: &BTreeSet<String>,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<Size> {
        let binder = Binder::new(self.world(evaluation), inputs, &SharedTables::new())?;
        let entity = binder.entity(segment).filter(|it| !broken.contains(it));
        let plan = match &entity {
            Some(name) => {
                let entity = self.catalog.get(name, &[Kind::Entity])?;
                binder.members_listed(segment, entity)?
            }
            None => binder.members(segment)?,
        };
        let mut members = self.members(segment, plan).await?;
        while members.next().await?.is_some() {}
        Ok(Size {
            members: members.rows,
            labels: members.labels,
            strangers: entity.map(|entity| (entity, members.strangers)),
        })
    }
}

/// What there is of a segment.
struct Size {
    members: u64,
    labels: BTreeMap<String, u64>,
    /// Its entity, and how many keys that does not list.
    strangers: Option<(String, u64)>,
}

impl Size {
    fn strangers(&self, segment: &Definition) -> Option<CheckReport> {
        let (entity, keys) = self.strangers.as_ref().filter(|(_, keys)| *keys > 0)?;
        Some(CheckReport {
            name: segment.name.clone(),
            rule: "entity",
            result: CheckResult::Warned(format!(
                "{keys} of its keys are not listed by entity {entity}"
            )),
        })
    }
}

/// The key rule of a segment, and its guard rails if it has some.
fn rules_of(segment: &Definition, size: Result<Size>) -> Vec<CheckReport> {
    let report = |rule, result: Result<()>| CheckReport {
        name: segment.name.clone(),
        rule,
        result: result.map_or_else(CheckResult::Failed, |()| CheckResult::Passed),
    };
    let rails = size.as_ref().ok();
    let rails = rails.and_then(|it| within_guard_rails(segment, it.members, &it.labels));
    let mut reports = vec![report("key", size.map(|_| ()))];
    reports.extend(rails.map(|result| report("guard rails", result)));
    reports
}

/// None where there are no guard rails.
fn within_guard_rails(
    segment: &Definition,
    size: u64,
    labels: &BTreeMap<String, u64>,
) -> Option<Result<()>> {
    let mut all = vec![];
    let own = GuardRails::read(&segment.create.options).unwrap_or_default();
    all.push((segment.name.clone(), own, size));
    for (label, rails) in label_rails(segment).unwrap_or_default() {
        let size = labels.get(label).copied().unwrap_or(0);
        all.push((format!("{}:{label}", segment.name), rails, size));
    }
    all.retain(|(_, rails, _)| *rails != GuardRails::default());
    let checked = all
        .iter()
        .map(|(name, rails, size)| rails.check_size(name, *size));
    (!all.is_empty()).then(|| checked.collect())
}
