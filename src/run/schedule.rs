//! The nodes of a run: looked at in their order, planned together, and computed side
//! by side, each behind those it builds on. They are reported in the order of the plan.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::Engine;
use super::bases::Bases;
use super::carry::Carry;
use super::fingerprint::Fingerprint;
use super::materialize::{Run, Sharing};
use super::node::Ended;
use super::reading::Reading;
use crate::catalog::{Binder, Definition, Graph, MembersPlan, SharedTable, SharedTables};
use crate::error::Result;
use crate::plan::RunPlan;
use crate::store::{NodeRecord, NodeStatus, Replayed};

/// A node on its way.
pub(super) struct Work {
    pub(super) definition: Arc<Definition>,
    /// Which other nodes it waits for.
    behind: Vec<usize>,
    /// Known when nothing below has to be computed first.
    pub(super) made_from: Option<Fingerprint>,
    /// Its plan, with what it shares with others taken out.
    pub(super) plan: Option<Result<MembersPlan>>,
    pub(super) reading: Reading,
    bases: BTreeSet<usize>,
    /// How a replay comes by its rows.
    replayed: Option<Replayed>,
    /// Does anything remain to be done?
    is_open: bool,
    /// Seconds it took to find out.
    seconds: f64,
}

impl Work {
    fn plan_mut(&mut self) -> Option<&mut LogicalPlan> {
        match &mut self.plan {
            Some(Ok(members)) => Some(&mut members.plan),
            _ => None,
        }
    }
}

/// The memory that a node may need which uses all cores.
const ROOM_FOR_ONE: usize = 2 << 30;

/// How many nodes run at once. Those that only filter rows that are kept run on one
/// core each; one more per core, as a core has nothing to do while a disk writes.
/// Others use all cores by themselves; two of them fill the gaps that each leaves, where
/// there is memory for two.
struct Slots {
    all: usize,
    heavy: usize,
}

impl Slots {
    fn of(&self, work: &Work) -> usize {
        match work.reading.is_light {
            true => 1,
            false => self.heavy,
        }
    }
}

impl Run<'_> {
    pub(super) async fn nodes(
        &mut self,
        progress: &mut (dyn FnMut(&NodeRecord) + Send),
    ) -> Vec<NodeRecord> {
        let (mut works, records) = self.look().await;
        self.plan_all(&mut works);
        self.compute(&works, records, progress).await
    }

    /// What has to be done, node by node, and the records of what turns out at once.
    async fn look(&self) -> (Vec<Work>, Vec<Option<NodeRecord>>) {
        let graph = Graph::new(&self.engine.catalog).over(&self.inputs.frozen);
        let (mut works, mut records): (Vec<Work>, _) = (vec![], vec![]);
        for name in &self.plan.nodes {
            let Some(definition) = self.engine.catalog.find(name).map(Arc::clone) else {
                continue;
            };
            let clock = Instant::now();
            let below = graph.below(&definition.name);
            let behind: Vec<usize> = (0..works.len())
                .filter(|index| below.contains(works[*index].definition.name.as_str()))
                .collect();
            let waits = behind.iter().any(|index| works[*index].is_open);
            let (made_from, ended) = match self.begin(&definition, waits).await {
                Ok(ControlFlow::Continue(made_from)) => (made_from, None),
                Ok(ControlFlow::Break(ended)) => (None, Some(Ok(ended))),
                Err(error) => (None, Some(Err(error))),
            };
            let work = Work {
                definition,
                behind,
                made_from,
                plan: None,
                reading: Reading::default(),
                bases: BTreeSet::new(),
                replayed: None,
                is_open: ended.is_none(),
                seconds: clock.elapsed().as_secs_f64(),
            };
            records.push(ended.map(|ended| self.record(&work, ended, 0.0)));
            works.push(work);
        }
        (works, records)
    }

    /// Plans what has to be computed and takes out what several nodes share.
    fn plan_all(&mut self, works: &mut [Work]) {
        let mut works: Vec<&mut Work> = works.iter_mut().filter(|it| it.is_open).collect();
        let names: BTreeSet<String> = works.iter().map(|it| it.definition.name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let bound = match self.carry.clone() {
            Some((carry, step)) => self.bind_carried(&carry, step, &mut works),
            None => self.bind(&names, &mut works),
        };
        if let Err(error) = bound {
            works.iter_mut().for_each(|work| {
                work.plan = Some(Err(error.clone()));
            });
        }
        works.retain(|work| matches!(work.plan, Some(Ok(_))));
        if self.request.sharing != Sharing::Off {
            let mut plans: Vec<_> = works.iter_mut().filter_map(|it| it.plan_mut()).collect();
            // Without it everything still runs, just more often.
            let _ = self.bases.find(self.engine, &mut plans);
        }
        let plans = works.iter_mut().filter_map(|it| it.plan_mut());
        let plans: Vec<&LogicalPlan> = plans.map(|plan| &*plan).collect();
        let readings = self.bases.settle(self.engine, &plans);
        for (work, reading) in works.into_iter().zip(readings) {
            work.bases = reading.bases();
            work.reading = reading;
        }
    }

    fn bind(&mut self, names: &BTreeSet<String>, works: &mut [&mut Work]) -> Result<()> {
        // One for all: what they read is the same only when it was looked up once.
        let world = self.engine.world(&self.evaluation);
        let mut binder = Binder::new(world, &self.inputs, &SharedTables::new())?;
        if self.request.sharing != Sharing::Off {
            share_definitions(self.engine, &mut binder, &mut self.bases, names);
        }
        for work in works {
            work.plan = Some(binder.members(&work.definition));
        }
        Ok(())
    }

    /// The same for a date of a replay: first with what is carried taken out.
    fn bind_carried(&mut self, carry: &Carry, step: usize, works: &mut [&mut Work]) -> Result<()> {
        let world = self.engine.world(&self.evaluation);
        let binder = Binder::new(world, &self.inputs, &SharedTables::new())?;
        let over_stand_ins = Binder::new(world, &self.inputs, &carry.stand_ins)?;
        for work in works {
            let members = over_stand_ins
                .members(&work.definition)
                .and_then(|mut members| {
                    let bases = &mut self.bases;
                    let out = carry.take_out(self.engine, &binder, bases, step, members.plan)?;
                    work.replayed = Some(out.how);
                    members.plan = out.plan;
                    Ok(members)
                });
            work.plan = Some(members);
        }
        Ok(())
    }

    /// Computes what is open, several nodes at once.
    async fn compute(
        &self,
        works: &[Work],
        mut records: Vec<Option<NodeRecord>>,
        progress: &mut (dyn FnMut(&NodeRecord) + Send),
    ) -> Vec<NodeRecord> {
        let slots = self.slots();
        let mut free = slots.all;
        let mut waiting: Vec<usize> = (0..works.len()).filter(|it| works[*it].is_open).collect();
        let mut is_done: Vec<bool> = works.iter().map(|work| !work.is_open).collect();
        let mut running = FuturesUnordered::new();
        let mut told = vec![];
        loop {
            waiting.retain(|index| {
                let work = &works[*index];
                let may_start = slots.of(work) <= free && work.behind.iter().all(|it| is_done[*it]);
                if may_start {
                    free -= slots.of(work);
                    running.push(self.one(*index, work));
                }
                !may_start
            });
            while let Some(record) = records.get_mut(told.len()).and_then(Option::take) {
                progress(&record);
                told.push(record);
            }
            let Some((index, record)) = running.next().await else {
                return told;
            };
            free += slots.of(&works[index]);
            is_done[index] = true;
            records[index] = Some(record);
            let open = works.iter().zip(&is_done).filter(|(_, is_done)| !**is_done);
            self.bases.keep_for(open.map(|(work, _)| &work.bases));
        }
    }

    fn slots(&self) -> Slots {
        let session = &self.engine.session;
        let all = 2 * session.state().config().target_partitions().max(1);
        let heavy = match session.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) if bytes < 2 * ROOM_FOR_ONE => all,
            _ => all / 2,
        };
        Slots { all, heavy }
    }

    async fn one(&self, index: usize, work: &Work) -> (usize, NodeRecord) {
        let mut seconds = 0.0;
        let ended = self.node(work, &mut seconds).await;
        (index, self.record(work, ended, seconds))
    }

    /// Notes down how a node ended.
    fn record(&self, work: &Work, ended: Result<Ended>, seconds: f64) -> NodeRecord {
        let ended = ended.unwrap_or_else(|error| {
            let reason = error.to_string();
            self.failed().insert(work.definition.name.clone(), error);
            Ended {
                reason: Some(reason),
                ..Ended::with(NodeStatus::Error)
            }
        });
        NodeRecord {
            name: work.definition.name.clone(),
            kind: work.definition.kind().to_string(),
            status: ended.status,
            reason: ended.reason,
            rows: ended.rows,
            labels: ended.labels,
            nondeterministic: ended.nondeterministic,
            timeless: ended.timeless,
            reads: ended.reads,
            writes: ended.writes,
            reused: ended.reused,
            replayed: work
                .replayed
                .filter(|_| ended.status == NodeStatus::Success),
            seconds: work.seconds + seconds,
        }
    }
}

/// Definitions that several nodes name are planned once and stand as tables in the
/// plans above them.
fn share_definitions(
    engine: &Engine,
    binder: &mut Binder<'_>,
    bases: &mut Bases,
    names: &BTreeSet<String>,
) {
    let catalog = &engine.catalog;
    let Ok(plan) = RunPlan::new(catalog, names) else {
        return;
    };
    let Ok(order) = Graph::new(catalog).order(names.iter().map(String::as_str)) else {
        return;
    };
    for name in order {
        let Some(base) = catalog.find(name).filter(|_| plan.shared.contains(name)) else {
            continue;
        };
        // What cannot be planned by itself says so where it is read.
        let Ok(plan) = binder.definition(base) else {
            continue;
        };
        let keys = binder.row_keys(&plan);
        if let Ok(Some(table)) = bases.add(engine, name, plan) {
            binder.put(name, SharedTable { table, keys });
        }
    }
}
