//! Pairs of a group and a value: written down, handed on, merged, taken out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, make_array, new_empty_array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion_common::{Result, exec_err};
use datafusion_expr::EmitTo;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::nulls::filtered_null_mask;

use super::cells::{Values, Writer};
use super::plain::Kind;
use crate::aggregate::buckets::Buckets;

/// The values of many groups.
#[derive(Debug)]
pub(super) struct Pairs<V: Values> {
    kind: Kind,
    buckets: Buckets<V>,
}

impl<V: Values> Pairs<V> {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            buckets: Buckets::default(),
        }
    }

    /// Makes room for so many groups.
    pub(super) fn resize(&mut self, groups: usize) {
        self.buckets.resize(groups);
    }

    fn push(&mut self, group: usize, array: &V::Array, row: usize) {
        self.buckets.push(group, |bytes| V::cell(array, row, bytes));
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

    /// How many distinct values groups have.
    pub(super) fn counts(&mut self, emit: EmitTo) -> Vec<i64> {
        let taken = self.buckets.take(emit);
        let mut counts = Vec::with_capacity(taken.groups());
        taken.into_groups(|cells, _| counts.push(cells.len() as i64));
        counts
    }

    /// Hands out the distinct values of groups, with the group of each and how many groups there
    /// are; some of every group or none.
    pub(super) fn feed(
        &mut self,
        emit: EmitTo,
        mut to: impl FnMut(ArrayRef, &[usize], usize) -> Result<()>,
    ) -> Result<()> {
        let taken = self.buckets.take(emit);
        let total = taken.groups();
        taken.into_cells(|groups, cells, bytes| {
            let mut writer = V::Writer::new(0, cells.len(), &self.kind.data_type());
            writer.others(cells, bytes);
            to(writer.finish().1, groups, total)
        })
    }

    /// The distinct values of groups: the first of each, and lists of the others.
    pub(super) fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut taken = self.buckets.take(emit);
        let (groups, values) = (taken.groups(), taken.settle());
        check_list(values)?;
        let mut writer = V::Writer::new(groups, values, &self.kind.data_type());
        let mut ends = Vec::with_capacity(groups + 1);
        let mut end = 0;
        ends.push(0);
        taken.into_groups(|cells, bytes| {
            let (first, others) = cells.split_at(cells.len().min(1));
            writer.first(first.first().copied(), bytes);
            writer.others(others, bytes);
            end += others.len() as i32;
            ends.push(end);
        });
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

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.buckets.size()
    }
}

fn check_list(values: usize) -> Result<()> {
    match i32::try_from(values) {
        Ok(_) => Ok(()),
        Err(_) => exec_err!("{values} distinct values are too many to be handed on at once"),
    }
}
