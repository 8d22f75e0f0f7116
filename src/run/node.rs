//! One node of a run: a segment or segmentation that is computed, or need not be.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use super::bases::reads;
use super::fingerprint::Fingerprint;
use super::materialize::Run;
use super::schedule::Work;
use crate::catalog::{Binder, Definition, Graph, SharedTables};
use crate::error::{Error, Result};
use crate::store::{Inputs as InputRecord, NodeStatus, Reused, SnapshotRecord};

/// How a node ended, before it is timed.
pub(super) struct Ended {
    pub(super) status: NodeStatus,
    pub(super) reason: Option<String>,
    pub(super) rows: Option<u64>,
    pub(super) labels: BTreeMap<String, u64>,
    pub(super) nondeterministic: Vec<String>,
    pub(super) timeless: Vec<String>,
    pub(super) reads: Vec<String>,
    pub(super) writes: Option<String>,
    pub(super) reused: Option<Reused>,
}

impl Ended {
    pub(super) fn with(status: NodeStatus) -> Self {
        Self {
            status,
            reason: None,
            rows: None,
            labels: BTreeMap::new(),
            nondeterministic: vec![],
            timeless: vec![],
            reads: vec![],
            writes: None,
            reused: None,
        }
    }
}

/// What a dry run says of a day that is finished.
const FINISHED: &str = "finished: needs --restate if its members differ";

/// A source and how much of it there is.
fn shown(input: &InputRecord) -> String {
    let bytes: u64 = input.files.iter().map(|file| file.size).sum();
    let files = match input.files.len() {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    format!("{} ({files}, {:.1} MB)", input.source, bytes as f64 / 1e6)
}

impl Run<'_> {
    /// Looks at a node before anything is computed: how it ends if it need not be, else
    /// what it would be made from, unless that must be seen again when what it `waits`
    /// for is there.
    pub(super) async fn begin(
        &self,
        definition: &Definition,
        waits: bool,
    ) -> Result<ControlFlow<Ended, Option<Fingerprint>>> {
        if let Some(fault) = self.failed().get(&definition.name) {
            return Err(fault.clone());
        }
        if let Some(skipped) = self.skipped(definition) {
            return Ok(ControlFlow::Break(skipped));
        }
        if waits {
            return Ok(ControlFlow::Continue(None));
        }
        let catalog = &self.engine.catalog;
        let made_from =
            Fingerprint::new(catalog, &self.inputs, &self.evaluation, &definition.name)?;
        let date = self.evaluation.moment.date();
        let kept = self.engine.store.snapshot(&definition.name, date).await?;
        if !self.would_freeze_below(definition)
            && let Some(record) = self.current(kept.as_ref(), &made_from).await?
        {
            return Ok(ControlFlow::Break(Ended {
                rows: Some(record.rows),
                labels: record.labels,
                timeless: record.timeless,
                ..Ended::with(NodeStatus::Unchanged)
            }));
        }
        let is_finished = kept.is_some_and(|kept| !kept.provisional);
        self.keep_finished_day(definition, is_finished)?;
        if !self.request.dry_run {
            return Ok(ControlFlow::Continue(Some(made_from)));
        }
        let below = self.binder()?.stand_ins(definition)?;
        let world = self.engine.world(&self.evaluation);
        Binder::new(world, &self.inputs, &below)?.members(definition)?;
        Ok(ControlFlow::Break(Ended {
            reason: (is_finished && !self.request.restate).then(|| FINISHED.to_owned()),
            reads: made_from.inputs.iter().map(shown).collect(),
            writes: Some(self.place(definition)?),
            ..Ended::with(NodeStatus::Planned)
        }))
    }

    /// Computes a node when all below it is done. The `seconds` leave out what it waits
    /// for with others.
    pub(super) async fn node(&self, work: &Work, seconds: &mut f64) -> Result<Ended> {
        let definition = &work.definition;
        let made_from = match &work.made_from {
            Some(made_from) => made_from.clone(),
            None => match self.begin(definition, false).await? {
                ControlFlow::Break(ended) => return Ok(ended),
                ControlFlow::Continue(made_from) => made_from.unwrap_or_default(),
            },
        };
        let mut plan = match &work.plan {
            Some(plan) => plan.clone()?,
            None => self.binder()?.members(definition)?,
        };
        if !work.reading.columns.is_empty() {
            plan.plan = self.bases.ready(self.engine, &plan.plan).await?;
        }
        let started = Instant::now();
        // Unless what it was to read failed, and is computed here.
        let is_light = work.reading.is_light && !reads(&plan.plan).is_empty();
        let engine = match is_light {
            true => &self.on_one_core,
            false => self.engine,
        };
        // What others reuse meanwhile is theirs.
        let engine = &engine.reusing_for_itself();
        let ended = self
            .write(engine, definition, plan, made_from, started)
            .await;
        *seconds = started.elapsed().as_secs_f64();
        ended.map(|ended| Ended {
            reused: engine.reuse.as_ref().and_then(|reuse| reuse.take()),
            ..ended
        })
    }

    /// What was kept for a whole day is not replaced by a part of it.
    fn keep_finished_day(&self, definition: &Definition, is_finished: bool) -> Result<()> {
        let moment = &self.evaluation.moment;
        match is_finished && !moment.is_whole_day() {
            false => Ok(()),
            true => Err(Error::new(format!(
                "{} has a snapshot for all of {}, which {moment} would cut short",
                definition.name,
                moment.date()
            ))
            .hint("give --as-of a date, or another --store")),
        }
    }

    fn place(&self, definition: &Definition) -> Result<String> {
        let date = self.evaluation.moment.date();
        self.engine.store.members_path(&definition.name, date)
    }

    fn binder(&self) -> Result<Binder<'_>> {
        let world = self.engine.world(&self.evaluation);
        Binder::new(world, &self.inputs, &SharedTables::new())
    }

    /// A dry run freezes nothing: what builds on a view that would be frozen anew is not
    /// what it was.
    fn would_freeze_below(&self, definition: &Definition) -> bool {
        let below = Graph::new(&self.engine.catalog).below(&definition.name);
        let mut anew = self.request.refreeze.iter();
        self.request.dry_run && anew.any(|name| below.contains(name.as_str()))
    }

    /// Skipped when something it builds on failed before.
    fn skipped(&self, definition: &Definition) -> Option<Ended> {
        let failed = self.failed();
        if failed.is_empty() {
            return None;
        }
        let graph = Graph::new(&self.engine.catalog).over(&self.inputs.frozen);
        let below = graph.below(&definition.name);
        let mut failed = failed
            .iter()
            .filter(|(name, _)| below.contains(name.as_str()));
        failed.next().map(|(name, error)| because(name, error))
    }

    /// The snapshot that is there already, made from the very same.
    async fn current(
        &self,
        kept: Option<&SnapshotRecord>,
        made_from: &Fingerprint,
    ) -> Result<Option<SnapshotRecord>> {
        let store = &self.engine.store;
        let Some(record) = kept.filter(|record| record.fingerprint == made_from.sum) else {
            return Ok(None);
        };
        if !store.is_in_place(record).await? {
            return Ok(None);
        }
        let is_over = self.evaluation.moment.is_over(self.engine.now());
        if record.provisional && is_over && !self.request.dry_run {
            return store.finish_day(record).await;
        }
        Ok(Some(record.clone()))
    }
}

fn because(name: &str, error: &Error) -> Ended {
    Ended {
        reason: Some(format!("because of {name}: {error}")),
        ..Ended::with(NodeStatus::Skipped)
    }
}
