//! `segql run`: segments and segmentations into the store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::Field;

use super::Engine;
use super::bases::Bases;
use super::carry::Carry;
use super::incremental::Reuse;
use crate::catalog::{Evaluation, Graph, Inputs, Reference};
use crate::error::{Error, Result};
use crate::plan::{RunPlan, Selection, select};
use crate::source::{BadRow, SourceFormat};
use crate::statement::Kind;
use crate::store::{NodeRecord, NodeStatus, RunRecord};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// Which segments.
    pub selection: Selection,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Replace what was said of finished days.
    pub restate: bool,
    /// Go past guard rails.
    pub force: bool,
    /// Frozen views that are to be frozen anew.
    pub refreeze: Vec<String>,
    /// What becomes of rows that several nodes read.
    pub sharing: Sharing,
    /// Resume aggregates from states that earlier runs kept, and keep new ones.
    pub cache: bool,
}

/// What becomes of rows that several nodes read; the results are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// They are computed once and kept in memory while the limit allows.
    #[default]
    InMemory,
    /// They are computed once and kept in temporary files.
    InFiles,
    /// Every node computes them for itself.
    Off,
}

/// What came of a run.
#[derive(Debug)]
pub struct RunReport {
    /// What is kept of it.
    pub record: RunRecord,
    /// Why something failed, by name.
    pub errors: BTreeMap<String, Error>,
    /// The columns found in the CSV sources that were opened.
    pub found: BTreeMap<String, Vec<Field>>,
    /// How many rows the sources that reject left out.
    pub rejected: BTreeMap<String, u64>,
    /// Why the run's own record could not be kept.
    pub unrecorded: Option<Error>,
    /// What became of frozen views.
    pub frozen: Vec<String>,
    /// What went wrong beside the work itself.
    pub warnings: Vec<String>,
    /// Why states of aggregates could not be kept for the next run.
    pub uncached: Option<Error>,
}

/// What a run carries from node to node.
pub(super) struct Run<'e> {
    pub(super) engine: &'e Engine,
    pub(super) inputs: Inputs,
    pub(super) evaluation: Evaluation,
    pub(super) plan: RunPlan,
    pub(super) bases: Bases,
    /// For plans that one core is enough for.
    pub(super) on_one_core: Engine,
    failed: Mutex<BTreeMap<String, Error>>,
    pub(super) request: RunRequest,
    /// What a replay carries from date to date, and which date this is.
    pub(super) carry: Option<(Arc<Carry>, usize)>,
}

impl Engine {
    /// Materialises what is selected; `progress` hears of every node as it
    /// ends. One that fails does not stop those that do not build on it.
    pub async fn run(
        &self,
        request: &RunRequest,
        progress: &mut (dyn FnMut(&NodeRecord) + Send),
    ) -> Result<RunReport> {
        self.run_carried(request, None, progress).await
    }

    /// The same for a date of a replay.
    pub(super) async fn run_carried(
        &self,
        request: &RunRequest,
        carry: Option<(Arc<Carry>, usize)>,
        progress: &mut (dyn FnMut(&NodeRecord) + Send),
    ) -> Result<RunReport> {
        let (clock, started) = (Instant::now(), Utc::now());
        self.store.reach().await?;
        let known = self.known(&request.selection).await?;
        let chosen = select(&self.catalog, &request.selection, &known)?;
        let plan = RunPlan::new(&self.catalog, &chosen)?;
        // Faults of what this run does not touch are none of its business.
        let mut failed = self.faults();
        let graph = Graph::new(&self.catalog);
        failed.retain(|id, _| {
            chosen.contains(id) || graph.above(id).iter().any(|name| chosen.contains(name))
        });
        let _at_work = match request.dry_run {
            true => None,
            false => Some(self.store.at_work().await),
        };
        let freezing = match &carry {
            // A replay freezes before it looks for what it can carry.
            Some((carry, 0)) => carry.freezing.clone(),
            Some(_) => self.freeze(&chosen, &[], request.dry_run).await?,
            None => {
                let anew = &request.refreeze;
                self.freeze(&chosen, anew, request.dry_run).await?
            }
        };
        failed.extend(freezing.failed);
        let evaluation = self.evaluation()?;
        let engine = &self.reusing(request);
        let mut run = Run {
            engine,
            inputs: self.inputs(&plan, &evaluation).await?,
            evaluation,
            bases: Bases::new(request.sharing),
            on_one_core: engine.on_one_core(),
            failed: Mutex::new(failed),
            request: request.clone(),
            plan,
            carry,
        };
        let nodes = run.nodes(progress).await;
        let record = RunRecord {
            run: run_name(started),
            as_of: run.evaluation.moment.date(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
            nodes,
            shared: run.bases.computed(),
            reused: engine.reuse.as_ref().and_then(|reuse| reuse.take()),
            frozen: freezing.frozen,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut report = RunReport {
            record,
            found: found(&run.inputs),
            errors: run
                .failed
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            rejected: BTreeMap::new(),
            frozen: freezing.notes,
            unrecorded: None,
            warnings: vec![],
            uncached: engine.reuse.as_ref().and_then(|reuse| reuse.fault()),
        };
        if !request.dry_run {
            report.unrecorded = self.store.add_run(&report.record).await.err();
            self.store.sweep(started).await;
        }
        report.add_rejected(&run.inputs);
        if self.store.lacks_locks() {
            report.warnings.push(NO_LOCKS.to_owned());
        }
        Ok(report)
    }
}

impl Engine {
    /// What the nodes of a run, and the entities, rest on.
    pub(super) async fn inputs(&self, plan: &RunPlan, evaluation: &Evaluation) -> Result<Inputs> {
        let mut mentions: Vec<Reference> = plan.nodes.iter().map(Reference::to).collect();
        let entities = self.catalog.of_kind(Kind::Entity);
        mentions.extend(entities.flat_map(|it| it.references.clone()));
        Inputs::collect(self.world(evaluation), &mentions).await
    }

    /// An engine that does what a run asks for with states of aggregates.
    fn reusing(&self, request: &RunRequest) -> Self {
        let wanted = request.cache && !request.dry_run && !self.store.is_temporary();
        let states = self.store.states().filter(|_| wanted);
        let mut engine = self.clone();
        engine.reuse = states.map(|states| Arc::new(Reuse::new(states)));
        engine
    }
}

/// The columns of CSV sources; other formats know their own.
fn found(inputs: &Inputs) -> BTreeMap<String, Vec<Field>> {
    let opened = inputs.sources.iter().filter_map(|(name, opened)| {
        let (source, _) = opened.as_ref().ok()?;
        (source.format == SourceFormat::Csv).then(|| (name.clone(), source.detected().to_vec()))
    });
    opened.collect()
}

const NO_LOCKS: &str = "the store has no locks: nothing keeps two runs at once apart";

impl RunReport {
    /// How many rows are left out, of sources that leave out some: nothing
    /// disappears in silence.
    fn add_rejected(&mut self, inputs: &Inputs) {
        let mut nodes = self.record.nodes.iter();
        if !nodes.any(|it| it.status == NodeStatus::Success) {
            return;
        }
        for (name, opened) in &inputs.sources {
            let Ok((source, options)) = opened else {
                continue;
            };
            if options.on_bad_row != BadRow::Reject {
                continue;
            }
            match source.rejected_rows() {
                Ok(0) => {}
                Ok(rows) => {
                    self.rejected.insert(name.clone(), rows);
                }
                Err(error) => self.warnings.push(format!(
                    "source {name}: the rows that are left out could not be counted: {error}"
                )),
            }
        }
    }
}

/// Sorts by time; the process and a number in it tell runs of one instant apart.
fn run_name(started: DateTime<Utc>) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = started.format("%Y%m%dT%H%M%S%.6fZ");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{time}-{}-{number:04}", std::process::id())
}

impl Run<'_> {
    /// What failed so far, by name.
    pub(super) fn failed(&self) -> MutexGuard<'_, BTreeMap<String, Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
