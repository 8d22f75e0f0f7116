//! The groups of a dense aggregation, and rows on their way to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::common::{Result, exec_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;

use super::range::KeyRange;

/// All groups, in parts that several threads fill.
pub(super) struct AllGroups {
    aggregate: Arc<AggregateExec>,
    range: KeyRange,
    parts: Vec<Mutex<Part>>,
    memory: MemoryReservation,
}

/// Groups next to each other; nothing before the first row.
#[derive(Default)]
struct Part {
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// Of each place the number of its group, counted from 1 as they come: accumulators
    /// know no groups without rows.
    numbers: Vec<u32>,
    /// How many groups there are.
    count: u32,
    size: usize,
}

impl Part {
    /// The groups of rows at these places, new ones among them.
    fn groups(&mut self, places: &[usize]) -> Vec<usize> {
        let group = |place: &usize| {
            let number = &mut self.numbers[*place];
            if *number == 0 {
                self.count += 1;
                *number = self.count;
            }
            *number as usize - 1
        };
        places.iter().map(group).collect()
    }
}

/// Columns that are dealt, each once however often it is asked for.
#[derive(Default)]
struct Dealt {
    columns: Vec<(ArrayRef, ArrayRef)>,
}

impl Dealt {
    fn place(&mut self, column: ArrayRef, order: &UInt32Array) -> Result<usize> {
        let known = self
            .columns
            .iter()
            .position(|(known, _)| Arc::ptr_eq(known, &column));
        if let Some(place) = known {
            return Ok(place);
        }
        let dealt = take(&column, order, None)?;
        self.columns.push((column, dealt));
        Ok(self.columns.len() - 1)
    }
}

/// Rows by part: where those of each begin, and the place of each row's group there.
struct Deal {
    ends: Vec<usize>,
    order: UInt32Array,
    places: Vec<usize>,
}

impl AllGroups {
    pub(super) fn new(
        aggregate: Arc<AggregateExec>,
        range: KeyRange,
        memory: MemoryReservation,
    ) -> Self {
        let parts = (0..range.parts()).map(|_| Mutex::default());
        Self {
            parts: parts.collect(),
            aggregate,
            range,
            memory,
        }
    }

    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    fn part(&self, number: usize) -> MutexGuard<'_, Part> {
        self.parts[number]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds rows, beginning with the parts from `first` on: two threads do not follow each
    /// other.
    pub(super) fn add(&self, batch: &RecordBatch, first: usize) -> Result<()> {
        let evaluate = |expr: &Arc<dyn PhysicalExpr>| -> Result<ArrayRef> {
            expr.evaluate(batch)?.into_array(batch.num_rows())
        };
        let key = evaluate(&self.aggregate.group_expr().expr()[0].0)?;
        let deal = self.deal(&key)?;
        let mut dealt = Dealt::default();
        let mut calls = vec![];
        let filters = self.aggregate.filter_expr();
        for (call, filter) in self.aggregate.aggr_expr().iter().zip(filters) {
            let arguments = call.expressions();
            let arguments = arguments
                .iter()
                .map(|it| dealt.place(evaluate(it)?, &deal.order));
            let arguments = arguments.collect::<Result<Vec<_>>>()?;
            let filter = filter
                .as_ref()
                .map(|it| dealt.place(evaluate(it)?, &deal.order));
            calls.push((arguments, filter.transpose()?));
        }
        let count = self.parts.len();
        for number in (first..count).chain(0..first) {
            let (start, end) = (deal.ends[number], deal.ends[number + 1]);
            if start == end {
                continue;
            }
            let slice = |place: &usize| dealt.columns[*place].1.slice(start, end - start);
            let rows: Vec<(Vec<ArrayRef>, Option<ArrayRef>)> = calls
                .iter()
                .map(|(arguments, filter)| {
                    (
                        arguments.iter().map(slice).collect(),
                        filter.as_ref().map(slice),
                    )
                })
                .collect();
            self.fill(number, &deal.places[start..end], &rows)?;
        }
        Ok(())
    }

    /// Which row goes where.
    fn deal(&self, key: &ArrayRef) -> Result<Deal> {
        let keys = cast(key, &DataType::Int64)?;
        let keys = keys.as_primitive::<Int64Type>();
        let range = self.range;
        let count = range.count();
        let mut groups = Vec::with_capacity(keys.len());
        let place = |key: i64| (key.wrapping_sub(range.smallest) as u64).saturating_add(1);
        match keys.null_count() {
            0 => groups.extend(keys.values().iter().map(|key| place(*key))),
            _ => groups.extend(keys.iter().map(|key| key.map_or(0, place))),
        }
        let mut ends = vec![0_usize; self.parts.len() + 1];
        for group in &groups {
            if *group >= count as u64 {
                return exec_err!(
                    "the statistics of a file are wrong: a key lies outside of {} to {}",
                    range.smallest,
                    range.largest
                );
            }
            ends[(*group >> range.shift) as usize + 1] += 1;
        }
        for part in 1..ends.len() {
            ends[part] += ends[part - 1];
        }
        let mut next = ends.clone();
        let mut order = vec![0_u32; groups.len()];
        let mut places = vec![0_usize; groups.len()];
        let mask = range.part_groups() as u64 - 1;
        for (row, group) in groups.iter().enumerate() {
            let at = &mut next[(*group >> range.shift) as usize];
            order[*at] = row as u32;
            places[*at] = (*group & mask) as usize;
            *at += 1;
        }
        Ok(Deal {
            ends,
            order: order.into(),
            places,
        })
    }

    fn fill(
        &self,
        number: usize,
        places: &[usize],
        rows: &[(Vec<ArrayRef>, Option<ArrayRef>)],
    ) -> Result<()> {
        let mut part = self.part(number);
        if part.numbers.is_empty() {
            part.numbers = vec![0; self.places_of(number)];
            let calls = self.aggregate.aggr_expr().iter();
            let accumulators = calls.map(|call| call.create_groups_accumulator());
            part.accumulators = accumulators.collect::<Result<_>>()?;
        }
        let groups = part.groups(places);
        let count = part.count as usize;
        for (accumulator, (values, filter)) in part.accumulators.iter_mut().zip(rows) {
            let filter = filter.as_ref().map(|it| it.as_boolean());
            accumulator.update_batch(values, &groups, filter, count)?;
        }
        let numbers = part.numbers.len() * size_of::<u32>();
        let size = numbers + part.accumulators.iter().map(|it| it.size()).sum::<usize>();
        if size > part.size {
            self.memory.try_grow(size - part.size)?;
            part.size = size;
        }
        Ok(())
    }

    fn places_of(&self, number: usize) -> usize {
        let start = number << self.range.shift;
        self.range.part_groups().min(self.range.count() - start)
    }

    /// The groups of a part, in order; the part is gone after that.
    pub(super) fn take(&self, number: usize, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
        let part = std::mem::take(&mut *self.part(number));
        if part.count == 0 {
            return Ok(None);
        }
        let start = (number << self.range.shift) as i64;
        let smallest = self.range.smallest;
        let there = || {
            part.numbers
                .iter()
                .enumerate()
                .filter(|(_, number)| **number > 0)
        };
        let key = |(place, _): (usize, &u32)| {
            let group = start + place as i64;
            (group > 0).then(|| smallest + (group - 1))
        };
        let keys: Int64Array = there().map(key).collect();
        let order: UInt32Array = there().map(|(_, number)| Some(number - 1)).collect();
        let mut columns = vec![cast(&keys, schema.field(0).data_type())?];
        for mut accumulator in part.accumulators {
            columns.push(take(&accumulator.evaluate(EmitTo::All)?, &order, None)?);
        }
        self.memory.shrink(part.size.min(self.memory.size()));
        Ok(Some(RecordBatch::try_new(Arc::clone(schema), columns)?))
    }
}
