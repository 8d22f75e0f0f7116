//! Groups that are carried from date to date: what was aggregated up to one date, and
//! the rows that came since, give the groups of the next.
//!
//! All rows are read once, and wait by the date since which they are there. Groups are
//! numbered in the order of their keys, so every date's groups come out sorted, without
//! a sort; the accumulators are those of any aggregation, fed with the very same rows.

mod calls;
mod rows;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as PlanResult;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::GroupsAccumulator;

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
    pub(crate) calls: Vec<Call>,
    /// How many dates there are.
    pub(crate) steps: usize,
}

/// Groups as of a date, and the rows that come later.
pub(crate) struct Carried {
    shape: Arc<Shape>,
    /// Of all groups that there will ever be, in order.
    keys: Vec<ArrayRef>,
    /// Which of them are there.
    seen: BooleanBufferBuilder,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// Rows by the date since which they are there; those taken in are gone.
    waiting: Vec<Vec<Part>>,
    /// 0, 1, 2, …: every group.
    every: Vec<usize>,
    memory: MemoryReservation,
}

impl Carried {
    /// The groups as of a date that is not before those asked for so far.
    pub(crate) fn at(&mut self, step: usize) -> PlanResult<RecordBatch> {
        for step in 0..=step.min(self.waiting.len() - 1) {
            for part in std::mem::take(&mut self.waiting[step]) {
                self.take_in(part)?;
            }
        }
        let is_last = step + 1 >= self.shape.steps;
        let mut columns = self.keys.clone();
        for (call, accumulator) in self.shape.calls.iter().zip(&mut self.accumulators) {
            columns.push(match is_last {
                true => accumulator.evaluate(datafusion::logical_expr::EmitTo::All)?,
                false => call.value_so_far(accumulator, &self.every)?,
            });
        }
        self.account()?;
        let groups = RecordBatch::try_new(Arc::clone(&self.shape.groups), columns)?;
        let seen = BooleanArray::new(self.seen.finish_cloned(), None);
        match seen.true_count() == groups.num_rows() {
            true => Ok(groups),
            false => Ok(filter_record_batch(&groups, &seen)?),
        }
    }

    fn take_in(&mut self, part: Part) -> PlanResult<()> {
        let groups: Vec<usize> = part.groups.iter().map(|group| *group as usize).collect();
        for group in &groups {
            self.seen.set_bit(*group, true);
        }
        for (call, accumulator) in self.shape.calls.iter().zip(&mut self.accumulators) {
            call.update(accumulator, &part.values, &groups, self.every.len())?;
        }
        Ok(())
    }

    /// Says what all of it takes now.
    fn account(&mut self) -> PlanResult<()> {
        let waiting = self.waiting.iter().flatten().map(Part::size).sum::<usize>();
        let accumulators = self.accumulators.iter().map(|it| it.size()).sum::<usize>();
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
