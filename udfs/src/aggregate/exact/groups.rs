//! Many groups: their sums, or their sums and counts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array};
use arrow::datatypes::UInt64Type;
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::accumulate_indices;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::nulls::filtered_null_mask;

use super::{GroupTotals, Types};

/// Sums of groups. The state is that of the totals.
#[derive(Debug)]
pub(super) struct Sums<T>(T);

impl<T: GroupTotals> Sums<T> {
    pub(super) fn new(types: &Types) -> Self {
        Self(T::new(types))
    }
}

impl<T: GroupTotals> GroupsAccumulator for Sums<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.0.update(&values[0], groups, filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.0.merge(&states[0], groups, total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        self.0.sums(emit)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.0.state(emit)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.0.as_states(&values[0], filter)?])
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Means of groups. The state is the count and that of the totals.
#[derive(Debug)]
pub(super) struct Means<T> {
    totals: T,
    counts: Vec<u64>,
}

impl<T: GroupTotals> Means<T> {
    pub(super) fn new(types: &Types) -> Self {
        Self {
            totals: T::new(types),
            counts: vec![],
        }
    }
}

impl<T: GroupTotals> GroupsAccumulator for Means<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.counts.resize(total, 0);
        let counts = &mut self.counts;
        accumulate_indices(groups, values[0].nulls(), filter, |group| {
            counts[group] += 1
        });
        self.totals.update(&values[0], groups, filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.counts.resize(total, 0);
        let counts = states[0].as_primitive::<UInt64Type>();
        for (group, count) in groups.iter().zip(counts) {
            self.counts[*group] += count.unwrap_or(0);
        }
        self.totals.merge(&states[1], groups, total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let counts = emit.take_needed(&mut self.counts);
        self.totals.means(emit, &counts)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let counts = UInt64Array::from(emit.take_needed(&mut self.counts));
        Ok(vec![Arc::new(counts), self.totals.state(emit)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let nulls = filtered_null_mask(filter, &values[0]);
        let counts = UInt64Array::new(vec![1; values[0].len()].into(), nulls);
        Ok(vec![
            Arc::new(counts),
            self.totals.as_states(&values[0], filter)?,
        ])
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<u64>() + self.totals.size()
    }
}
