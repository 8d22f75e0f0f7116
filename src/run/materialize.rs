//! `segql run`: segments and segmentations into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::SchemaRef;

use super::Engine;
use super::fingerprint::Fingerprint;
use super::shared::SharedRows;
use crate::catalog::{
    Binder, Definition, Evaluation, Graph, Inputs, MembersPlan, Reference, SharedTables,
};
use crate::error::{Error, Result};
use crate::plan::{RunPlan, select};
use crate::source::SourceFormat;
use crate::store::{
    Column, Inputs as InputRecord, NodeRecord, NodeStatus, RunRecord, SnapshotRecord,
};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// Which segments; all when empty.
    pub selectors: Vec<String>,
    /// Which of these not.
    pub exclude: Vec<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Replace what was said of finished days.
    pub restate: bool,
    /// Go past guard rails.
    pub force: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct RunReport {
    /// What is kept of it.
    pub record: RunRecord,
    /// Why something failed, by name.
    pub errors: BTreeMap<String, Error>,
    /// The columns of the CSV sources that were opened.
    pub found: BTreeMap<String, SchemaRef>,
}

/// What a run carries from node to node.
pub(super) struct Run<'e> {
    pub(super) engine: &'e Engine,
    inputs: Inputs,
    evaluation: Evaluation,
    plan: RunPlan,
    shared: SharedTables,
    kept: Vec<SharedRows>,
    /// What failed, by name.
    failed: BTreeMap<String, Error>,
    pub(super) request: RunRequest,
}

/// How a node ended, before it is timed.
struct Ended {
    status: NodeStatus,
    reason: Option<String>,
    rows: Option<u64>,
    labels: BTreeMap<String, u64>,
    nondeterministic: Vec<String>,
    reads: Vec<String>,
    writes: Option<String>,
}

impl Ended {
    fn with(status: NodeStatus) -> Self {
        Self {
            status,
            reason: None,
            rows: None,
            labels: BTreeMap::new(),
            nondeterministic: vec![],
            reads: vec![],
            writes: None,
        }
    }
}

/// A source and how much of it there is.
fn shown(input: &InputRecord) -> String {
    let bytes: u64 = input.files.iter().map(|file| file.size).sum();
    let files = match input.files.len() {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    format!("{} ({files}, {:.1} MB)", input.source, bytes as f64 / 1e6)
}

impl Engine {
    /// Materialises what is selected; `progress` hears of every node as it
    /// ends. One that fails does not stop those that do not build on it.
    pub async fn run(
        &self,
        request: &RunRequest,
        progress: &mut (dyn FnMut(&NodeRecord) + Send),
    ) -> Result<RunReport> {
        let (clock, started) = (Instant::now(), Utc::now());
        let known = self.known(request).await?;
        let chosen = select(&self.catalog, &request.selectors, &request.exclude, &known)?;
        let plan = RunPlan::new(&self.catalog, &chosen)?;
        // Faults of what this run does not touch are none of its business.
        let mut failed = self.faults();
        let graph = Graph::new(&self.catalog);
        let below: Vec<BTreeSet<&str>> = chosen.iter().map(|name| graph.below(name)).collect();
        failed.retain(|id, _| {
            chosen.contains(id) || below.iter().any(|names| names.contains(id.as_str()))
        });
        let mut mentions: Vec<Reference> = plan.nodes.iter().map(Reference::to).collect();
        mentions.extend(
            self.catalog
                .of_kind(crate::statement::Kind::Entity)
                .flat_map(|it| it.references.clone()),
        );
        let evaluation = self.evaluation()?;
        let mut run = Run {
            engine: self,
            inputs: Inputs::collect(self.world(&evaluation), &mentions).await?,
            evaluation,
            shared: SharedTables::new(),
            kept: vec![],
            failed,
            request: request.clone(),
            plan,
        };
        let nodes = run.nodes(progress).await;
        let record = RunRecord {
            run: run_name(started),
            as_of: run.evaluation.moment.date(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
            nodes,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        if !request.dry_run {
            self.store.add_run(&record).await?;
            self.store.sweep(started).await?;
        }
        Ok(RunReport {
            record,
            found: found(&run.inputs),
            errors: run.failed,
        })
    }
}

/// The columns of CSV sources; other formats know their own.
fn found(inputs: &Inputs) -> BTreeMap<String, SchemaRef> {
    let opened = inputs.sources.iter().filter_map(|(name, opened)| {
        let (source, _) = opened.as_ref().ok()?;
        (source.format == SourceFormat::Csv).then(|| (name.clone(), source.file_schema()))
    });
    opened.collect()
}

/// Sorts by time; the process and a number in it tell runs of one instant apart.
fn run_name(started: DateTime<Utc>) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = started.format("%Y%m%dT%H%M%S%.6fZ");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{time}-{}-{number:04}", std::process::id())
}

impl Run<'_> {
    async fn nodes(&mut self, progress: &mut (dyn FnMut(&NodeRecord) + Send)) -> Vec<NodeRecord> {
        let mut nodes = vec![];
        for name in self.plan.nodes.clone() {
            let Some(definition) = self.engine.catalog.find(&name).map(Arc::clone) else {
                continue;
            };
            let clock = Instant::now();
            let ended = match self.node(&definition).await {
                Ok(ended) => ended,
                Err(error) => {
                    let reason = error.to_string();
                    self.failed.insert(name.clone(), error);
                    Ended {
                        reason: Some(reason),
                        ..Ended::with(NodeStatus::Error)
                    }
                }
            };
            let node = NodeRecord {
                name,
                kind: definition.kind().to_string(),
                status: ended.status,
                reason: ended.reason,
                rows: ended.rows,
                labels: ended.labels,
                nondeterministic: ended.nondeterministic,
                reads: ended.reads,
                writes: ended.writes,
                seconds: clock.elapsed().as_secs_f64(),
            };
            progress(&node);
            nodes.push(node);
        }
        nodes
    }

    async fn node(&mut self, definition: &Definition) -> Result<Ended> {
        if let Some(fault) = self.failed.get(&definition.name) {
            return Err(fault.clone());
        }
        if let Some(skipped) = self.skipped(definition) {
            return Ok(skipped);
        }
        let started = Instant::now();
        let catalog = &self.engine.catalog;
        let made_from =
            Fingerprint::new(catalog, &self.inputs, &self.evaluation, &definition.name)?;
        if let Some(record) = self.current(definition, &made_from).await? {
            return Ok(Ended {
                rows: Some(record.rows),
                labels: record.labels,
                ..Ended::with(NodeStatus::Unchanged)
            });
        }
        self.keep_finished_day(definition).await?;
        if self.request.dry_run {
            self.binder()?.members(definition)?;
            return Ok(Ended {
                reads: made_from.inputs.iter().map(shown).collect(),
                writes: Some(self.place(definition)),
                ..Ended::with(NodeStatus::Planned)
            });
        }
        self.compute_shared(definition).await?;
        self.write(definition, made_from, started).await
    }

    /// What was kept for a whole day is not replaced by a part of it.
    async fn keep_finished_day(&self, definition: &Definition) -> Result<()> {
        let moment = &self.evaluation.moment;
        let store = &self.engine.store;
        let kept = store.snapshot(&definition.name, moment.date()).await?;
        match kept.filter(|kept| !kept.provisional && !moment.is_whole_day()) {
            None => Ok(()),
            Some(_) => Err(Error::new(format!(
                "{} has a snapshot for all of {}, which {moment} would cut short",
                definition.name,
                moment.date()
            ))
            .hint("give --as-of a date, or another --store")),
        }
    }

    fn place(&self, definition: &Definition) -> String {
        let date = self.evaluation.moment.date();
        let path = self.engine.store.members_path(&definition.name, date);
        path.display().to_string()
    }

    fn binder(&self) -> Result<Binder<'_>> {
        Binder::new(
            self.engine.world(&self.evaluation),
            &self.inputs,
            &self.shared,
        )
    }

    /// Skipped when something it builds on failed before.
    fn skipped(&self, definition: &Definition) -> Option<Ended> {
        let below = Graph::new(&self.engine.catalog).below(&definition.name);
        let mut failed = self
            .failed
            .iter()
            .filter(|(name, _)| below.contains(name.as_str()));
        failed.next().map(|(name, error)| because(name, error))
    }

    /// The snapshot that is there already, made from the very same.
    async fn current(
        &self,
        definition: &Definition,
        made_from: &Fingerprint,
    ) -> Result<Option<SnapshotRecord>> {
        let store = &self.engine.store;
        let date = self.evaluation.moment.date();
        let record = store.snapshot(&definition.name, date).await?;
        Ok(record
            .filter(|record| record.fingerprint == made_from.sum && store.file(record).is_ok()))
    }

    /// Computes the shared definitions that this one builds on and that are
    /// not there yet.
    async fn compute_shared(&mut self, definition: &Definition) -> Result<()> {
        let catalog = &self.engine.catalog;
        let order = Graph::new(catalog).order([definition.name.as_str()])?;
        for name in order {
            if !self.plan.shared.contains(name) || self.shared.contains_key(name) {
                continue;
            }
            let Some(base) = catalog.find(name) else {
                continue;
            };
            let plan = self.binder()?.definition(base);
            let kept = match plan {
                Ok(plan) => self.engine.keep(name, plan).await,
                Err(error) => Err(error),
            };
            match kept {
                Ok(rows) => {
                    self.shared.insert(name.to_owned(), Arc::clone(&rows.table));
                    self.kept.push(rows);
                }
                // What fails as a whole may still do for those who read a part.
                Err(_) => {
                    self.plan.shared.remove(name);
                }
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        definition: &Definition,
        made_from: Fingerprint,
        started: Instant,
    ) -> Result<Ended> {
        let plan: MembersPlan = self.binder()?.members(definition)?;
        let (key, label) = (plan.key.clone(), plan.label.clone());
        let store = &self.engine.store;
        let mut members = self.engine.members(definition, plan).await?;
        let schema = members.schema();
        let mut writer = store.writer(Arc::clone(&schema))?;
        while let Some(batch) = members.next().await? {
            writer.write(batch).await?;
        }
        let written = writer.finish(&made_from.definition).await?;
        let moment = &self.evaluation.moment;
        let mut record = SnapshotRecord {
            segment: definition.name.clone(),
            kind: definition.kind().to_string(),
            as_of: moment.date(),
            instant: chrono::DateTime::from_timestamp_nanos(moment.nanos()),
            time_zone: moment.zone().name().to_owned(),
            provisional: !moment.is_over(self.engine.now()),
            id: written.id.clone(),
            fingerprint: made_from.sum,
            restates: None,
            forced: None,
            nondeterministic: made_from.nondeterministic,
            timeless: made_from.timeless,
            rows: written.rows,
            labels: members.labels.clone(),
            key,
            label,
            columns: schema
                .fields()
                .iter()
                .map(|field| Column {
                    name: field.name().clone(),
                    data_type: field.data_type().to_string(),
                })
                .collect(),
            definitions: made_from.definitions,
            variables: made_from.variables,
            inputs: made_from.inputs,
            previous: made_from.previous,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: Utc::now(),
            seconds: started.elapsed().as_secs_f64(),
        };
        match self.admit(definition, &mut record, &written).await {
            Ok(status) => {
                let reason = record.forced.clone();
                store.commit(written, &record).await?;
                Ok(Ended {
                    reason: reason.map(|rails| format!("forced: {rails}")),
                    rows: Some(record.rows),
                    labels: record.labels,
                    nondeterministic: record.nondeterministic,
                    ..Ended::with(status)
                })
            }
            Err(error) => {
                store.discard(written).await?;
                Err(error)
            }
        }
    }
}

fn because(name: &str, error: &Error) -> Ended {
    Ended {
        reason: Some(format!("because of {name}: {error}")),
        ..Ended::with(NodeStatus::Skipped)
    }
}
