//! Pairs of a group and a value: written down, handed on, merged, taken out.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, make_array, new_empty_array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion_common::{Result, exec_datafusion_err};
use datafusion_expr::EmitTo;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::nulls::filtered_null_mask;

use super::bucket::{BITS, Bucket, GROUPS};
use super::cells::{Values, Writer};
use super::plain::Kind;

/// The values of many groups.
#[derive(Debug)]
pub(super) struct Pairs<V: Values> {
    kind: Kind,
    buckets: VecDeque<Bucket<V>>,
    /// The place of the first group in the first bucket: those before have left.
    first: usize,
    groups: usize,
}

impl<V: Values> Pairs<V> {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            buckets: VecDeque::new(),
            first: 0,
            groups: 0,
        }
    }

    /// Makes room for so many groups.
    pub(super) fn resize(&mut self, groups: usize) {
        self.groups = groups;
        let buckets = (self.first + groups).div_ceil(GROUPS);
        self.buckets.resize_with(buckets, Bucket::default);
    }

    fn push(&mut self, group: usize, array: &V::Array, row: usize) {
        let at = self.first + group;
        self.buckets[at >> BITS].push((at % GROUPS) as u16, array, row);
    }

    /// Writes down the values of rows, but not NULL and not where the filter is not true.
    pub(super) fn put(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) {
        let array = V::read(values);
        match filtered_null_mask(filter, values) {
            Some(mask) => {
                for row in mask.valid_indices() {
                    self.push(groups[row], array, row);
                }
            }
            None => {
                for (row, group) in groups.iter().enumerate() {
                    self.push(*group, array, row);
                }
            }
        }
    }

    /// Takes in what [`Self::state`] made.
    pub(super) fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) {
        self.put(&states[0], groups, None);
        let lists = states[1].as_list::<i32>();
        let offsets = lists.offsets();
        if offsets[0] == offsets[lists.len()] {
            return;
        }
        let values = self.kind.listed(lists);
        let array = V::read(&values);
        for (group, ends) in groups.iter().zip(offsets.windows(2)) {
            for row in ends[0]..ends[1] {
                self.push(*group, array, (row - offsets[0]) as usize);
            }
        }
    }

    /// Takes out the first groups, or all.
    fn take(&mut self, emit: EmitTo) -> Self {
        let mut taken = Self::new(self.kind);
        let EmitTo::First(groups) = emit else {
            std::mem::swap(&mut taken, self);
            return taken;
        };
        taken.first = self.first;
        taken.groups = groups.min(self.groups);
        let end = self.first + taken.groups;
        taken.buckets.extend(self.buckets.drain(..end >> BITS));
        self.groups -= taken.groups;
        self.first = end % GROUPS;
        if self.first > 0 {
            taken.buckets.push_back(self.buckets[0].split(self.first));
        }
        taken
    }

    /// How many distinct values groups have.
    pub(super) fn counts(&mut self, emit: EmitTo) -> Vec<i64> {
        let taken = self.take(emit);
        let mut counts = vec![0; taken.groups];
        for (at, mut bucket) in taken.buckets.into_iter().enumerate() {
            bucket.settle();
            for group in bucket.groups() {
                counts[at * GROUPS + *group as usize - taken.first] += 1;
            }
        }
        counts
    }

    /// Hands out the distinct values of groups, with the group of each and how many groups there
    /// are; some of every group or none.
    pub(super) fn feed(
        &mut self,
        emit: EmitTo,
        mut to: impl FnMut(ArrayRef, &[usize], usize) -> Result<()>,
    ) -> Result<()> {
        let taken = self.take(emit);
        let mut groups = vec![];
        for (at, mut bucket) in taken.buckets.into_iter().enumerate() {
            bucket.settle();
            let mut writer = V::Writer::new(0, bucket.len(), &self.kind.data_type());
            let (cells, bytes) = bucket.cells();
            writer.others(cells, bytes);
            let place = |group: &u16| at * GROUPS + *group as usize - taken.first;
            groups.clear();
            groups.extend(bucket.groups().iter().map(place));
            drop(bucket);
            to(writer.finish().1, &groups, taken.groups)?;
        }
        Ok(())
    }

    /// The distinct values of groups: the first of each, and lists of the others.
    pub(super) fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut taken = self.take(emit);
        taken.buckets.iter_mut().for_each(Bucket::settle);
        let values = taken.buckets.iter().map(Bucket::len).sum();
        let mut writer = V::Writer::new(taken.groups, values, &self.kind.data_type());
        let mut ends = Vec::with_capacity(taken.groups + 1);
        let mut end = 0;
        ends.push(0);
        for (at, bucket) in taken.buckets.into_iter().enumerate() {
            let (cells, bytes) = bucket.cells();
            let mut own = bucket.groups();
            let mut from = 0;
            let start = if at == 0 { taken.first } else { 0 };
            let stop = GROUPS.min(taken.first + taken.groups - at * GROUPS);
            for group in start..stop {
                let count = own.iter().take_while(|it| **it as usize == group).count();
                own = &own[count..];
                let (first, others) = cells[from..from + count].split_at(count.min(1));
                writer.first(first.first().copied(), bytes);
                writer.others(others, bytes);
                from += count;
                end += others.len();
                ends.push(end_of_list(end)?);
            }
        }
        let (first, others) = writer.finish();
        Ok(vec![first, self.lists(ends, others)?])
    }

    /// Each value as a state of its own.
    pub(super) fn as_states(
        &self,
        values: ArrayRef,
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let nothing = new_empty_array(&self.kind.listed_type());
        let lists = self.lists(vec![0; values.len() + 1], nothing)?;
        let Some(filter) = filter else {
            return Ok(vec![values, lists]);
        };
        let nulls = filtered_null_mask(Some(filter), &values);
        let data = values.to_data().into_builder().nulls(nulls).build()?;
        Ok(vec![make_array(data), lists])
    }

    fn lists(&self, ends: Vec<i32>, values: ArrayRef) -> Result<ArrayRef> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        let lists = ListArray::try_new(self.kind.list_field(), ends, values, None)?;
        Ok(Arc::new(lists))
    }

    /// Bytes on the heap, with what sorting the largest bucket needs.
    pub(super) fn size(&self) -> usize {
        let held: usize = self.buckets.iter().map(Bucket::heap).sum();
        let scratch = self.buckets.iter().map(Bucket::scratch).max();
        held + scratch.unwrap_or(0) + self.buckets.capacity() * size_of::<Bucket<V>>()
    }
}

fn end_of_list(end: usize) -> Result<i32> {
    i32::try_from(end).map_err(|_| {
        exec_datafusion_err!("{end} distinct values are too many to be handed on at once")
    })
}
