//! Aggregates that a replay carries from date to date: found in the plans of two
//! dates, read once, and given to every date as rows that need not be computed.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result as PlanResult;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;

use super::Engine;
use super::bases::Bases;
use super::carried_plan::CarriedPlan;
use super::frozen::Freezing;
use crate::catalog::{Binder, Inputs, SharedTables, growing_source};
use crate::error::{Error, Result};
use crate::exec::carried::{Carried, Moving, WaitingRows};
use crate::exec::{KeptRows, Place};
use crate::plan::{Alike, Groups, each_carriable, for_each_scan, replace_scans};
use crate::session::Moment;
use crate::store::Replayed;

/// Rows that a reader takes at once.
const BATCH_ROWS: usize = 1 << 15;

/// All that is carried through a series of dates.
pub(super) struct Carry {
    /// What plans read in the place of sources that grow.
    pub(super) stand_ins: SharedTables,
    /// What became of frozen views before the first date.
    pub(super) freezing: Freezing,
    /// Aggregates over these, as they stand in plans.
    known: HashMap<Alike, Arc<Carrier>>,
}

/// A plan after what is carried was taken out.
pub(super) struct CarriedOut {
    pub(super) plan: LogicalPlan,
    pub(super) how: Replayed,
}

impl Carry {
    /// Finds what plans of these nodes, bound over stand-ins, hold alike at several
    /// dates.
    pub(super) fn find(
        engine: &Engine,
        inputs: &Inputs,
        moments: &[Moment],
        nodes: &[String],
    ) -> Result<Self> {
        let Some(first) = moments.first() else {
            return Err(Error::new("there are no dates"));
        };
        let first = engine.evaluation_at(*first);
        let binder = Binder::new(engine.world(&first), inputs, &SharedTables::new())?;
        let stand_ins = binder.growing_sources()?;
        let mut found: Vec<HashMap<Alike, Groups>> = vec![];
        for moment in moments.iter().take(2) {
            let evaluation = engine.evaluation_at(*moment);
            let over = Binder::new(engine.world(&evaluation), inputs, &stand_ins)?;
            let mut at_date = HashMap::new();
            for name in nodes {
                let definition = engine.catalog.find(name);
                // What cannot be planned says so when its turn comes.
                if let Some(Ok(members)) = definition.map(|it| over.members(it)) {
                    each_carriable(&members.plan, |groups| {
                        at_date.insert(groups.alike.clone(), groups);
                    })?;
                }
            }
            found.push(at_date);
        }
        let mut known = HashMap::new();
        if let [first, second] = found.as_slice() {
            let seen = |source: &str, since: &str| binder.seen_since(source, moments, since);
            for (alike, groups) in first {
                let Some(later) = second.get(alike) else {
                    continue;
                };
                let made = CarriedPlan::new(engine, (groups, later), &seen, moments.len())?;
                if let Some(made) = made {
                    known.insert(alike.clone(), Arc::new(Carrier::new(made)));
                }
            }
        }
        Ok(Self {
            stand_ins,
            freezing: Freezing::default(),
            known,
        })
    }

    /// Takes what is carried out of a plan for a date: tables of `bases` stand in its
    /// place, and the sources themselves in that of all other stand-ins.
    pub(super) fn take_out(
        &self,
        engine: &Engine,
        binder: &Binder<'_>,
        bases: &mut Bases,
        step: usize,
        plan: LogicalPlan,
    ) -> Result<CarriedOut> {
        let mut carries = false;
        let plan = plan.transform_down_with_subqueries(|node| {
            let Some(groups) = Groups::of(&node) else {
                return Ok(Transformed::no(node));
            };
            let Some(carrier) = self.known.get(&groups.alike) else {
                return Ok(Transformed::no(node));
            };
            let Some(moving) = carrier.plan.moving(engine, &groups)? else {
                return Ok(Transformed::no(node));
            };
            let rows = CarriedRows {
                carrier: Arc::clone(carrier),
                step,
                moving: Arc::new(moving),
            };
            let own = |what: &LogicalPlan| real(binder, what.clone());
            let table = bases.add_carried(engine, &node, rows, &own)?;
            carries |= table.is_some();
            Ok(match table {
                Some(table) => Transformed::new(table, true, TreeNodeRecursion::Jump),
                None => Transformed::no(node),
            })
        })?;
        let before = plan.data;
        let mut evaluates = false;
        for_each_scan(&before, |source, _| {
            evaluates |= growing_source(source).is_some();
        })?;
        let how = match (carries, evaluates) {
            (true, false) => Replayed::Carried,
            (true, true) => Replayed::Partly,
            (false, _) => Replayed::Evaluated,
        };
        let plan = real(binder, before)?;
        Ok(CarriedOut { plan, how })
    }
}

/// A plan over the sources themselves.
fn real(binder: &Binder<'_>, plan: LogicalPlan) -> PlanResult<LogicalPlan> {
    replace_scans(plan, |source| match growing_source(source) {
        Some(name) => Ok(Some(binder.source_rows(&name)?)),
        None => Ok(None),
    })
}

/// The groups of a date, and who gives them.
pub(super) struct CarriedRows {
    pub(super) carrier: Arc<Carrier>,
    step: usize,
    moving: Arc<Moving>,
}

impl CarriedRows {
    /// These columns of them.
    pub(super) async fn rows(&self, engine: &Engine, columns: Vec<usize>) -> Result<KeptRows> {
        self.carrier
            .rows(engine, self.step, &self.moving, columns)
            .await
    }
}

/// Gives the groups of date after date.
pub(super) struct Carrier {
    pub(super) plan: CarriedPlan,
    state: futures::lock::Mutex<State>,
}

enum State {
    /// Nothing was read so far.
    New,
    /// Ready for a later date.
    Ready(Box<Carried>),
    /// The groups of a date are computed while others are at work.
    Ahead(usize, SpawnedTask<Result<(Box<Carried>, RecordBatch)>>),
    /// It cannot be carried: there is too much of it.
    Failed,
}

impl Carrier {
    fn new(plan: CarriedPlan) -> Self {
        Self {
            plan,
            state: futures::lock::Mutex::new(State::New),
        }
    }

    /// These columns of a date's groups; goes on with the next date at once.
    pub(super) async fn rows(
        &self,
        engine: &Engine,
        step: usize,
        moving: &Arc<Moving>,
        columns: Vec<usize>,
    ) -> Result<KeptRows> {
        let mut state = self.state.lock().await;
        let result = self.advance(engine, &mut state, step, moving).await;
        let (carried, groups) = match result {
            Ok(found) => found,
            Err(error) => {
                *state = State::Failed;
                return Err(error);
            }
        };
        let next = step + 1;
        // What is another at the next date is not known yet.
        *state = match (next < self.plan.shape.steps, moving.calls.is_empty()) {
            (true, true) => State::Ahead(next, at(carried, next, moving)),
            (true, false) => State::Ready(carried),
            (false, _) => State::Failed,
        };
        drop(state);
        let memory = self.reserve(engine, "groups");
        let groups = groups.project(&columns)?;
        memory.try_grow(groups.get_array_memory_size())?;
        let count = groups.num_rows().div_ceil(BATCH_ROWS);
        let slice = |number: usize| {
            let start = number * BATCH_ROWS;
            groups.slice(start, BATCH_ROWS.min(groups.num_rows() - start))
        };
        Ok(KeptRows {
            sorted_by: columns.iter().position(|column| *column == 0),
            columns,
            place: Place::Memory {
                batches: (0..count).map(slice).collect(),
                _memory: memory,
            },
        })
    }

    fn reserve(&self, engine: &Engine, what: &str) -> MemoryReservation {
        let pool = &engine.session.runtime_env().memory_pool;
        MemoryConsumer::new(format!("{what} carried from date to date")).register(pool)
    }

    async fn advance(
        &self,
        engine: &Engine,
        state: &mut State,
        step: usize,
        moving: &Arc<Moving>,
    ) -> Result<(Box<Carried>, RecordBatch)> {
        let carried = match std::mem::replace(state, State::Failed) {
            State::New => self.read(engine).await?,
            State::Ready(carried) => carried,
            State::Ahead(ahead, task) => {
                let (carried, groups) = ended(task).await?;
                if ahead == step {
                    return Ok((carried, groups));
                }
                carried
            }
            State::Failed => return Err(Error::new("the groups are not carried any more")),
        };
        ended(at(carried, step, moving)).await
    }

    /// Reads all rows up to the last date, each partition of the plan by itself.
    async fn read(&self, engine: &Engine) -> Result<Box<Carried>> {
        let mut reading = vec![];
        for mut stream in engine.streams(&self.plan.rows).await? {
            let shape = Arc::clone(&self.plan.shape);
            let memory = self.reserve(engine, "rows");
            reading.push(SpawnedTask::spawn(async move {
                let mut rows = WaitingRows::new(shape, stream.schema(), memory)?;
                while let Some(batch) = stream.next().await.transpose()? {
                    rows.add(batch)?;
                }
                Result::Ok(rows.finish()?)
            }));
        }
        let mut readers = vec![];
        for task in reading {
            readers.push(ended(task).await?);
        }
        let complete = SpawnedTask::spawn_blocking(|| Ok(Box::new(Carried::of(readers)?)));
        ended(complete).await
    }
}

/// The groups at a date, computed on a thread of its own.
fn at(
    mut carried: Box<Carried>,
    step: usize,
    moving: &Arc<Moving>,
) -> SpawnedTask<Result<(Box<Carried>, RecordBatch)>> {
    let moving = Arc::clone(moving);
    SpawnedTask::spawn_blocking(move || {
        let groups = carried.at(step, &moving)?;
        Ok((carried, groups))
    })
}

async fn ended<T: Send + 'static>(task: SpawnedTask<Result<T>>) -> Result<T> {
    let ended = task.join_unwind().await;
    ended.map_err(|_| Error::new("the work was cut off"))?
}
