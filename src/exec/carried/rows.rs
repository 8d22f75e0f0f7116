//! Rows that wait for the date since which they are there.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::{
    BatchCoalescer, SortColumn, SortOptions, lexsort_to_indices, take, take_record_batch,
};
use datafusion::arrow::datatypes::{Schema, SchemaRef, UInt32Type};
use datafusion::common::{Result as PlanResult, exec_datafusion_err, internal_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::{Call, Carried, Shape};

/// Rows that are dealt among the dates at once.
const BATCH_ROWS: usize = 1 << 16;

/// Rows of one date with their keys.
pub(super) struct Part {
    pub(super) keys: Vec<u32>,
    pub(super) values: RecordBatch,
}

impl Part {
    pub(super) fn size(&self) -> usize {
        size(&self.values, &self.keys)
    }
}

/// Bytes of rows and the numbers of their groups.
pub(super) fn size(rows: &RecordBatch, groups: &Vec<u32>) -> usize {
    groups.capacity() * size_of::<u32>() + rows.get_array_memory_size()
}

/// Rows as they come: keys, values, and since which date they are there.
pub(crate) struct WaitingRows {
    shape: Arc<Shape>,
    groups: Box<dyn GroupValues>,
    parts: Vec<Vec<Part>>,
    memory: MemoryReservation,
    /// Batches large enough to be dealt among many dates.
    whole: BatchCoalescer,
    /// The groups of the batch at hand.
    at_hand: Vec<usize>,
}

impl WaitingRows {
    /// For rows with these columns.
    pub(crate) fn new(
        shape: Arc<Shape>,
        rows: SchemaRef,
        memory: MemoryReservation,
    ) -> PlanResult<Self> {
        let keys = shape.groups.fields().iter().take(shape.keys).cloned();
        let keys = Arc::new(Schema::new(keys.collect::<Vec<_>>()));
        Ok(Self {
            groups: new_group_values(keys, &GroupOrdering::None)?,
            parts: (0..shape.steps).map(|_| vec![]).collect(),
            whole: BatchCoalescer::new(rows, BATCH_ROWS),
            at_hand: vec![],
            shape,
            memory,
        })
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, batch: RecordBatch) -> PlanResult<()> {
        self.whole.push_batch(batch)?;
        self.drain()
    }

    fn drain(&mut self) -> PlanResult<()> {
        while let Some(batch) = self.whole.next_completed_batch() {
            self.add_whole(&batch)?;
        }
        Ok(())
    }

    fn add_whole(&mut self, batch: &RecordBatch) -> PlanResult<()> {
        let (keys, rest) = batch.columns().split_at(self.shape.keys);
        let Some((since, values)) = rest.split_last() else {
            return Err(exec_datafusion_err!("rows without a date"));
        };
        let before = self.groups.size();
        self.groups.intern(keys, &mut self.at_hand)?;
        self.memory
            .try_grow(self.groups.size().saturating_sub(before))?;
        let groups: Vec<u32> = self.at_hand.iter().map(number).collect::<PlanResult<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let values = RecordBatch::try_new_with_options(
            Arc::clone(&self.shape.values),
            values.to_vec(),
            &options,
        )?;
        self.deal(&groups, &values, since.as_primitive::<UInt32Type>())
    }

    /// Puts each row to its date, in the order they came.
    fn deal(
        &mut self,
        groups: &[u32],
        values: &RecordBatch,
        since: &UInt32Array,
    ) -> PlanResult<()> {
        let mut ends = vec![0_usize; self.parts.len() + 1];
        for step in since.values() {
            ends[*step as usize + 1] += 1;
        }
        for step in 1..ends.len() {
            ends[step] += ends[step - 1];
        }
        let mut next = ends.clone();
        let mut order = vec![0_u32; since.len()];
        for (row, step) in since.values().iter().enumerate() {
            let place = &mut next[*step as usize];
            order[*place] = row as u32;
            *place += 1;
        }
        let order = UInt32Array::from(order);
        for (step, range) in ends.windows(2).enumerate() {
            if let &[start, end] = range
                && start < end
            {
                // Copies, so that a date's rows are given back with it.
                let order = order.slice(start, end - start);
                let part = Part {
                    keys: order
                        .values()
                        .iter()
                        .map(|row| groups[*row as usize])
                        .collect(),
                    values: take_record_batch(values, &order)?,
                };
                self.memory.try_grow(part.size())?;
                self.parts[step].push(part);
            }
        }
        Ok(())
    }

    /// All of its rows are there.
    pub(crate) fn finish(mut self) -> PlanResult<Self> {
        self.whole.finish_buffered_batch()?;
        self.drain()?;
        Ok(self)
    }

    /// Takes the rows of another reader, whose groups are numbered otherwise.
    fn append(&mut self, mut other: Self) -> PlanResult<()> {
        // What the other held is held here from now on.
        let held = other.memory.free();
        let before = self.groups.size();
        let keys = other.groups.emit(EmitTo::All)?;
        self.groups.intern(&keys, &mut self.at_hand)?;
        let more = self.groups.size().saturating_sub(before);
        self.memory.try_grow(held + more)?;
        let number = self.at_hand.iter().map(number);
        let numbers: Vec<u32> = number.collect::<PlanResult<_>>()?;
        other.renumber(&numbers);
        for (parts, more) in self.parts.iter_mut().zip(other.parts) {
            parts.extend(more);
        }
        Ok(())
    }

    fn renumber(&mut self, numbers: &[u32]) {
        for part in self.parts.iter_mut().flatten() {
            for key in &mut part.keys {
                *key = numbers[*key as usize];
            }
        }
    }
}

impl Carried {
    /// Of the rows of all readers: numbers the keys in their order.
    pub(crate) fn of(readers: Vec<WaitingRows>) -> PlanResult<Self> {
        let mut readers = readers.into_iter();
        let Some(mut rows) = readers.next() else {
            return internal_err!("rows of no partition");
        };
        for other in readers {
            rows.append(other)?;
        }
        let keys = rows.groups.emit(EmitTo::All)?;
        let (keys, places) = in_order(&keys)?;
        rows.renumber(&places);
        let calls = rows.shape.calls.iter();
        let mut carried = Self {
            accumulators: calls
                .map(|call| call.as_ref().map(Call::accumulator).transpose())
                .collect::<PlanResult<_>>()?,
            keys,
            numbers: vec![0; places.len()],
            waiting: rows.parts,
            taken: vec![],
            every: vec![],
            memory: rows.memory,
            shape: rows.shape,
        };
        carried.account()?;
        Ok(carried)
    }
}

fn number(group: &usize) -> PlanResult<u32> {
    u32::try_from(*group).map_err(|_| exec_datafusion_err!("more than 4 billion groups"))
}

/// Keys upwards, NULLs first, and the place of each there.
fn in_order(keys: &[ArrayRef]) -> PlanResult<(Vec<ArrayRef>, Vec<u32>)> {
    let options = SortOptions {
        descending: false,
        nulls_first: true,
    };
    let columns = keys.iter().map(|key| SortColumn {
        values: Arc::clone(key),
        options: Some(options),
    });
    let columns: Vec<SortColumn> = columns.collect();
    let order = lexsort_to_indices(&columns, None)?;
    let mut places = vec![0_u32; order.len()];
    for (place, group) in order.values().iter().enumerate() {
        places[*group as usize] = place as u32;
    }
    let keys = keys.iter().map(|key| Ok(take(key, &order, None)?));
    Ok((keys.collect::<PlanResult<_>>()?, places))
}
