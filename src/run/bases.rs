//! What the nodes of a run share: found in their plans, computed when first read,
//! dropped after the last reader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use datafusion::common::{Column, Result as PlanResult, TableReference};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};

use super::Engine;
use super::carry::CarriedRows;
use super::materialize::Sharing;
use super::reading::{Reading, readings};
use crate::error::Result;
use crate::exec::KeptTable;
use crate::plan::{common, for_each_scan, in_its_place, replace_scans, works};
use crate::store::SharedRecord;

/// A plan whose rows are kept, as several read them.
struct Base {
    what: String,
    plan: LogicalPlan,
    table: Arc<KeptTable>,
    /// The columns that somebody reads.
    columns: BTreeSet<usize>,
    /// The column that readers want the rows sorted by.
    sort: Option<usize>,
    /// How many scans there are.
    readers: usize,
    /// Where its rows come from without being computed.
    carried: Option<CarriedRows>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not read so far.
    Waiting,
    /// There are rows.
    Kept,
    /// Every reader computes it for itself: there is one only, or it failed as a
    /// whole and may still do for those who read a part.
    Apart,
    /// Nobody reads it any more.
    Dropped,
}

/// All that a run shares.
pub(super) struct Bases {
    all: Vec<Base>,
    sharing: Sharing,
    /// Held by whoever computes one: one after the other, as each uses all cores.
    turn: futures::lock::Mutex<()>,
    computed: Mutex<Vec<SharedRecord>>,
}

/// Which base a scan reads.
pub(super) fn base_of(source: &Arc<dyn TableSource>) -> Option<usize> {
    let provider = source_as_provider(source).ok()?;
    provider.downcast_ref::<KeptTable>().map(|table| table.id)
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bases {
    pub(super) fn new(sharing: Sharing) -> Self {
        Self {
            all: vec![],
            sharing,
            turn: futures::lock::Mutex::default(),
            computed: Mutex::default(),
        }
    }

    /// Adds a plan; what it gives stands for its rows in other plans. None when its
    /// columns get other types than those that its readers are bound to.
    pub(super) fn add(
        &mut self,
        engine: &Engine,
        what: &str,
        plan: LogicalPlan,
    ) -> PlanResult<Option<Arc<dyn TableSource>>> {
        let schema = Arc::clone(plan.schema().inner());
        let analysed = engine.analysed(plan.clone())?;
        let analysed = analysed.schema().fields();
        let mut pairs = schema.fields().iter().zip(analysed);
        if !pairs.all(|(bound, found)| bound.data_type() == found.data_type()) {
            return Ok(None);
        }
        let table = Arc::new(KeptTable::new(self.all.len(), schema));
        self.all.push(Base {
            what: what.to_owned(),
            plan,
            table: Arc::clone(&table),
            columns: BTreeSet::new(),
            sort: None,
            readers: 0,
            carried: None,
            state: Mutex::new(State::Waiting),
        });
        Ok(Some(provider_as_source(table)))
    }

    /// Adds an aggregate whose rows a carrier gives; should it fail, `own` of the plan
    /// computes them. Gives what stands in its place; a carrier has one table for all.
    pub(super) fn add_carried(
        &mut self,
        engine: &Engine,
        aggregate: &LogicalPlan,
        rows: CarriedRows,
        own: &dyn Fn(&LogicalPlan) -> PlanResult<LogicalPlan>,
    ) -> PlanResult<Option<LogicalPlan>> {
        let what = rows.carrier.plan.what.clone();
        let mut rows = Some(rows);
        in_its_place(aggregate, what, &mut |carried| {
            let is_it = |base: &Base| match (&base.carried, &rows) {
                (Some(known), Some(rows)) => Arc::ptr_eq(&known.carrier, &rows.carrier),
                _ => false,
            };
            let id = self.all.iter().position(is_it);
            let name =
                TableReference::bare(format!("carried rows {}", id.unwrap_or(self.all.len())));
            if let Some(id) = id {
                let table = Arc::clone(&self.all[id].table);
                return Ok(Some((name, provider_as_source(table))));
            }
            let source = self.add(engine, &carried.what, own(&carried.plan)?)?;
            if let (Some(_), Some(base)) = (&source, self.all.last_mut()) {
                base.carried = rows.take();
            }
            Ok(source.map(|source| (name, source)))
        })
    }

    /// Finds what these plans, and those of the bases so far, hold in common; puts
    /// scans in its place.
    pub(super) fn find(
        &mut self,
        engine: &Engine,
        plans: &mut [&mut LogicalPlan],
    ) -> PlanResult<()> {
        // What is carried is not computed.
        let computed = |base: &Base| base.carried.is_none();
        let bases = self.all.iter().filter(|base| computed(base));
        let own: Vec<LogicalPlan> = bases.map(|base| base.plan.clone()).collect();
        let given = plans.iter().map(|plan| &**plan);
        let all: Vec<&LogicalPlan> = own.iter().chain(given).collect();
        let mut found = common(&all, &mut |common| {
            let name = TableReference::bare(format!("shared rows {}", self.all.len()));
            let source = self.add(engine, &common.what, common.plan)?;
            Ok(source.map(|source| (name, source)))
        })?;
        let theirs = found.split_off(own.len());
        let bases = self.all.iter_mut().filter(|base| computed(base));
        for (base, plan) in bases.zip(found) {
            base.plan = plan;
            // Over what was found a view may do no work of its own any more.
            if !works(&base.plan) {
                *held(&base.state) = State::Apart;
            }
        }
        for id in 0..self.all.len() {
            self.all[id].plan = self.resolved(&self.all[id].plan)?;
        }
        for (plan, found) in plans.iter_mut().zip(theirs) {
            **plan = self.resolved(&found)?;
        }
        Ok(())
    }

    /// Finds out which columns are read and in which order; gives what each of these
    /// plans reads.
    pub(super) fn settle(&mut self, engine: &Engine, plans: &[&LogicalPlan]) -> Vec<Reading> {
        let read: Vec<Reading> = plans.iter().map(|plan| readings(engine, plan)).collect();
        let mut wanted: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for reading in &read {
            self.note(reading);
            if let Some(order) = reading.order {
                *wanted.entry(order).or_default() += 1;
            }
        }
        let mut most = vec![0; self.all.len()];
        for ((id, column), times) in wanted {
            // One reader alone sorts what it filtered, which is less.
            if times > 1 && times > most[id] {
                most[id] = times;
                self.all[id].sort = Some(column);
            }
        }
        for id in self.top_down() {
            if self.all[id].readers > 0 {
                match self.all[id].projected() {
                    Ok(plan) => self.note(&readings(engine, &plan)),
                    Err(_) => *held(&self.all[id].state) = State::Apart,
                }
            }
        }
        for base in &self.all {
            if base.readers < 2 && base.carried.is_none() {
                *held(&base.state) = State::Apart;
            }
        }
        read
    }

    fn note(&mut self, reading: &Reading) {
        for (id, columns) in &reading.columns {
            self.all[*id].columns.extend(columns);
            self.all[*id].readers += reading.scans[id];
        }
    }

    /// Every base behind all that read it.
    fn top_down(&self) -> Vec<usize> {
        fn visit(bases: &Bases, id: usize, seen: &mut [bool], order: &mut Vec<usize>) {
            if !std::mem::replace(&mut seen[id], true) {
                for below in bases.all[id].reads() {
                    visit(bases, below, seen, order);
                }
                order.push(id);
            }
        }
        let (mut seen, mut order) = (vec![false; self.all.len()], vec![]);
        for id in 0..self.all.len() {
            visit(self, id, &mut seen, &mut order);
        }
        order.reverse();
        order
    }

    /// Sees to it that a plan's bases are there; gives the plan to run: with those
    /// that are computed apart put in.
    pub(super) async fn ready(&self, engine: &Engine, plan: &LogicalPlan) -> Result<LogicalPlan> {
        let now = self.resolved(plan)?;
        if !reads(&now).iter().any(|id| self.is_waiting(id)) {
            return Ok(now);
        }
        let _turn = self.turn.lock().await;
        self.made_ready(engine, plan).await
    }

    async fn made_ready(&self, engine: &Engine, plan: &LogicalPlan) -> Result<LogicalPlan> {
        loop {
            let plan = self.resolved(plan)?;
            let mut open = reads(&plan).into_iter();
            let Some(id) = open.find(|id| self.is_waiting(id)) else {
                return Ok(plan);
            };
            let kept = Box::pin(self.rows(engine, &self.all[id])).await;
            // What fails as a whole may still do for those who read a part.
            *held(&self.all[id].state) = match kept {
                Ok(()) => State::Kept,
                Err(_) => State::Apart,
            };
        }
    }

    async fn rows(&self, engine: &Engine, base: &Base) -> Result<()> {
        if let Some(carried) = &base.carried {
            let columns = base.columns.iter().copied().collect();
            let rows = carried.rows(engine, columns).await?;
            base.table.set(Some(rows));
            return Ok(());
        }
        let plan = self.made_ready(engine, &base.projected()?).await?;
        let clock = Instant::now();
        let sort = base.sort.map(|column| base.columns.range(..column).count());
        let columns: Vec<usize> = base.columns.iter().copied().collect();
        let may_fill = self.sharing == Sharing::InMemory;
        let keeper = engine.keeper(&base.what, &base.table, &columns, may_fill)?;
        let rows = engine.keep(plan, keeper, columns, sort).await?;
        held(&self.computed).push(SharedRecord {
            what: base.what.clone(),
            readers: base.readers as u64,
            rows: rows.rows,
            bytes: rows.bytes,
            in_file: rows.in_file,
            seconds: clock.elapsed().as_secs_f64(),
        });
        base.table.set(Some(rows.kept));
        Ok(())
    }

    /// Drops what none of these plans, yet to run, reads.
    pub(super) fn keep_for<'p>(&self, plans: impl Iterator<Item = &'p BTreeSet<usize>>) {
        let mut needed = vec![false; self.all.len()];
        let mut open: Vec<usize> = plans.flatten().copied().collect();
        while let Some(id) = open.pop() {
            let seen = std::mem::replace(&mut needed[id], true);
            if !seen && matches!(self.state(id), State::Waiting | State::Apart) {
                open.extend(self.all[id].reads());
            }
        }
        for (base, needed) in self.all.iter().zip(needed) {
            let mut state = held(&base.state);
            if !needed && *state == State::Kept {
                base.table.set(None);
                *state = State::Dropped;
            }
        }
    }

    /// What was computed, in the order it was.
    pub(super) fn computed(&self) -> Vec<SharedRecord> {
        held(&self.computed).clone()
    }

    fn state(&self, id: usize) -> State {
        *held(&self.all[id].state)
    }

    fn is_waiting(&self, id: &usize) -> bool {
        self.state(*id) == State::Waiting
    }

    fn resolved(&self, plan: &LogicalPlan) -> PlanResult<LogicalPlan> {
        let apart = |id: &usize| self.state(*id) == State::Apart;
        match reads(plan).iter().any(apart) {
            false => Ok(plan.clone()),
            true => replace_scans(plan.clone(), |source| match base_of(source) {
                Some(id) if apart(&id) => self.resolved(&self.all[id].plan).map(Some),
                _ => Ok(None),
            }),
        }
    }
}

impl Base {
    /// The bases its plan reads.
    fn reads(&self) -> BTreeSet<usize> {
        reads(&self.plan)
    }

    /// The columns that are read, in the order that is wanted.
    fn projected(&self) -> PlanResult<LogicalPlan> {
        let column = |index: &usize| {
            let (relation, field) = self.plan.schema().qualified_field(*index);
            Expr::Column(Column::from((relation, field)))
        };
        let plan =
            LogicalPlanBuilder::from(self.plan.clone()).project(self.columns.iter().map(column))?;
        match &self.sort {
            Some(index) => plan.sort([column(index).sort(true, true)])?.build(),
            None => plan.build(),
        }
    }
}

/// The bases that a plan reads.
pub(super) fn reads(plan: &LogicalPlan) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    // Nothing in the walk can fail.
    let _ = for_each_scan(plan, |source, _| found.extend(base_of(source)));
    found
}
