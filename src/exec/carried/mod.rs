//! Groups that are carried from date to date: what was aggregated up to one date, and
//! the rows that came since, give the groups of the next.
//!
//! All rows are read once, and wait by the date since which they are there. Keys are sorted
//! once for all dates, so every date's groups come out in order without a sort; the
//! accumulators are those of any aggregation, fed with the very same rows.

mod calls;
mod rows;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::kernels::cmp::gt;
use datafusion::arrow::compute::take;
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
    /// The number of each, counted from 1 as they come; 0 for those still to come, of
    /// which accumulators must not know.
    numbers: Vec<u32>,
    /// None for calls that are others at every date.
    accumulators: Vec<Option<Box<dyn GroupsAccumulator>>>,
    /// Rows by the date since which they are there.
    waiting: Vec<Vec<Part>>,
    /// Rows that were taken in and are read again at later dates.
    taken: Vec<(RecordBatch, Vec<u32>)>,
    /// 0, 1, 2, …: every group that is there.
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
        let mut values = vec![];
        let mut moved = moving.calls.iter();
        let shape = Arc::clone(&self.shape);
        for (place, call) in shape.calls.iter().enumerate() {
            values.push(match (call, &mut self.accumulators[place]) {
                (Some(_), Some(accumulator)) if is_last => accumulator.evaluate(EmitTo::All)?,
                (Some(call), Some(accumulator)) => call.value_so_far(accumulator, &self.every)?,
                _ => match moved.next() {
                    Some(call) => self.now(call)?,
                    None => return internal_err!("a call without its date"),
                },
            });
        }
        let is_chosen = match &moving.count {
            None => None,
            Some(count) => Some(gt(&self.now(count)?, &Int64Array::new_scalar(0))?),
        };
        self.account()?;
        self.in_order(&values, is_chosen.as_ref())
    }

    /// The groups that are there, and chosen where some are, in the order of their keys.
    fn in_order(
        &self,
        values: &[ArrayRef],
        is_chosen: Option<&BooleanArray>,
    ) -> PlanResult<RecordBatch> {
        let (mut keys, mut groups) = (vec![], vec![]);
        for (key, number) in self.numbers.iter().enumerate() {
            let group = number.wrapping_sub(1);
            if *number > 0 && is_chosen.is_none_or(|it| it.value(group as usize)) {
                keys.push(key as u32);
                groups.push(group);
            }
        }
        let (keys, groups) = (UInt32Array::from(keys), UInt32Array::from(groups));
        let own = self.keys.iter().map(|column| take(column, &keys, None));
        let values = values.iter().map(|column| take(column, &groups, None));
        let columns = own.chain(values).collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(
            Arc::clone(&self.shape.groups),
            columns,
        )?)
    }

    /// A call over all rows that are there.
    fn now(&self, call: &Call) -> PlanResult<ArrayRef> {
        let mut accumulator = call.accumulator()?;
        for (part, groups) in &self.taken {
            let groups: Vec<usize> = groups.iter().map(|group| *group as usize).collect();
            call.update(&mut accumulator, part, &groups, self.every.len())?;
        }
        accumulator.evaluate(EmitTo::All)
    }

    fn take_in(&mut self, part: Part) -> PlanResult<()> {
        let groups = self.groups(&part.keys);
        for (call, accumulator) in self.shape.calls.iter().zip(&mut self.accumulators) {
            if let (Some(call), Some(accumulator)) = (call, accumulator) {
                call.update(accumulator, &part.values, &groups, self.every.len())?;
            }
        }
        if self.shape.calls.iter().any(Option::is_none) {
            let groups = groups.into_iter().map(|group| group as u32);
            self.taken.push((part.values, groups.collect()));
        }
        Ok(())
    }

    /// The groups of these keys, new ones among them.
    fn groups(&mut self, keys: &[u32]) -> Vec<usize> {
        let group = |key: &u32| {
            let number = &mut self.numbers[*key as usize];
            if *number == 0 {
                self.every.push(self.every.len());
                *number = self.every.len() as u32;
            }
            *number as usize - 1
        };
        keys.iter().map(group).collect()
    }

    /// Says what all of it takes now.
    fn account(&mut self) -> PlanResult<()> {
        let waiting = self.waiting.iter().flatten().map(Part::size).sum::<usize>();
        let taken = self.taken.iter();
        let taken = taken
            .map(|(rows, groups)| rows::size(rows, groups))
            .sum::<usize>();
        let accumulators = self.accumulators.iter().flatten();
        let accumulators = accumulators.map(|it| it.size()).sum::<usize>();
        let keys = self
            .keys
            .iter()
            .map(|it| it.get_array_memory_size())
            .sum::<usize>();
        let numbers = self.numbers.capacity() * size_of::<u32>();
        let every = self.every.capacity() * size_of::<usize>();
        self.memory
            .try_resize(waiting + taken + accumulators + keys + numbers + every)
    }
}
