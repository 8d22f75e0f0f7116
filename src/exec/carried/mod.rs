//! Groups that are carried from date to date: what was aggregated up to one date, and
//! the rows that came since, give the groups of the next.
//!
//! All rows are read once, and wait by the date since which they are there. Groups are
//! numbered in the order of their keys, so every date's groups come out sorted, without
//! a sort; the accumulators are those of any aggregation, fed with the very same rows.

mod calls;
mod rows;

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, RecordBatch,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::compute::kernels::cmp::gt;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result as PlanResult, internal_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

pub(crate) use calls::Call;
pub(crate) use rows::WaitingRows;

use rows::Part;

/// What is computed of the rows.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The columns of a date's groups: keys, then what was computed.
    pub(crate) groups: SchemaRef,
    /// The columns of rows that calls read.
    pub(crate) values: SchemaRef,
    /// How many of the first columns of rows are keys.
    pub(crate) keys: usize,
    /// What is computed; none for a call that is another at every date.
    pub(crate) calls: Vec<Option<Call>>,
    /// Does each date choose other rows, so that its groups have to be counted?
    pub(crate) counts: bool,
    /// How many dates there are.
    pub(crate) steps: usize,
}

/// What is another at every date.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    /// The calls, in their order.
    pub(crate) calls: Vec<Call>,
    /// Counts the rows of a group; one without rows is not there.
    pub(crate) count: Option<Call>,
}

/// Groups as of a date, and the rows that come later.
pub(crate) struct Carried {
    shape: Arc<Shape>,
    /// Of all groups that there will ever be, in order.
    keys: Vec<ArrayRef>,
    /// Which of them are there.
    seen: BooleanBufferBuilder,
    /// None for calls that are others at every date.
    accumulators: Vec<Option<Box<dyn GroupsAccumulator>>>,
    /// Rows by the date since which they are there.
    waiting: Vec<Vec<Part>>,
    /// Rows that were taken in and are read again at later dates.
    taken: Vec<Part>,
    /// 0, 1, 2, …: every group.
    every: Vec<usize>,
    memory: MemoryReservation,
}

impl Carried {
    /// The groups as of a date that is not before those asked for so far.
    pub(crate) fn at(&mut self, step: usize, moving: &Moving) -> PlanResult<RecordBatch> {
        for step in 0..=step.min(self.waiting.len() - 1) {
            for part in std::mem::take(&mut self.waiting[step]) {
                self.take_in(part)?;
            }
        }
        let is_last = step + 1 >= self.shape.steps;
        let mut columns = self.keys.clone();
        let mut moved = moving.calls.iter();
        let shape = Arc::clone(&self.shape);
        for (place, call) in shape.calls.iter().enumerate() {
            columns.push(match (call, &mut self.accumulators[place]) {
                (Some(_), Some(accumulator)) if is_last => accumulator.evaluate(EmitTo::All)?,
                (Some(call), Some(accumulator)) => call.value_so_far(accumulator, &self.every)?,
                _ => match moved.next() {
                    Some(call) => self.now(call)?,
                    None => return internal_err!("a call without its date"),
                },
            });
        }
        let is_there = match &moving.count {
            None => BooleanArray::new(self.seen.finish_cloned(), None),
            Some(count) => gt(&self.now(count)?, &Int64Array::new_scalar(0))?,
        };
        self.account()?;
        let groups = RecordBatch::try_new(Arc::clone(&self.shape.groups), columns)?;
        match is_there.true_count() == groups.num_rows() {
            true => Ok(groups),
            false => Ok(filter_record_batch(&groups, &is_there)?),
        }
    }

    /// A call over all rows that are there.
    fn now(&self, call: &Call) -> PlanResult<ArrayRef> {
        let mut accumulator = call.accumulator()?;
        for part in &self.taken {
            call.update(
                &mut accumulator,
                &part.values,
                &part.groups(),
                self.every.len(),
            )?;
        }
        accumulator.evaluate(EmitTo::All)
    }

    fn take_in(&mut self, part: Part) -> PlanResult<()> {
        let groups = part.groups();
        for group in &groups {
            self.seen.set_bit(*group, true);
        }
        for (call, accumulator) in self.shape.calls.iter().zip(&mut self.accumulators) {
            if let (Some(call), Some(accumulator)) = (call, accumulator) {
                call.update(accumulator, &part.values, &groups, self.every.len())?;
            }
        }
        if self.shape.calls.iter().any(Option::is_none) || self.shape.counts {
            self.taken.push(part);
        }
        Ok(())
    }

    /// Says what all of it takes now.
    fn account(&mut self) -> PlanResult<()> {
        let rows = self.waiting.iter().flatten().chain(&self.taken);
        let waiting = rows.map(Part::size).sum::<usize>();
        let accumulators = self.accumulators.iter().flatten();
        let accumulators = accumulators.map(|it| it.size()).sum::<usize>();
        let keys = self
            .keys
            .iter()
            .map(|it| it.get_array_memory_size())
            .sum::<usize>();
        let every = self.every.capacity() * size_of::<usize>();
        self.memory
            .try_resize(waiting + accumulators + keys + every)
    }
}
