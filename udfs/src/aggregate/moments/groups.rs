//! Many groups: how many rows they have, and their sums.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, UInt64Array,
};
use arrow::buffer::{Buffer, NullBuffer};
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};

use super::statistic::Statistic;
use super::terms::{columns, each_state, merge, nulls, terms, write_all};
use crate::aggregate::exact::STATE_BYTES;
use crate::math::reproducible_sum::{ReproducibleSum, add};

#[derive(Debug)]
pub(super) struct Groups<const N: usize> {
    statistic: Statistic,
    counts: Vec<u64>,
    sums: Vec<[ReproducibleSum; N]>,
}

impl<const N: usize> Groups<N> {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self {
            statistic,
            counts: vec![],
            sums: vec![],
        }
    }

    fn grow(&mut self, total: usize) {
        self.counts.resize(total, 0);
        self.sums.resize(total, [ReproducibleSum::default(); N]);
    }

    fn take(&mut self, emit: EmitTo) -> (Vec<u64>, Vec<[ReproducibleSum; N]>) {
        let counts = emit.take_needed(&mut self.counts);
        (counts, emit.take_needed(&mut self.sums))
    }
}

/// Rows whose sums are asked for together.
const BLOCK: usize = 32;

/// The rows that count, in blocks.
fn each_block(len: usize, valid: Option<NullBuffer>, mut take: impl FnMut(&[usize])) {
    let mut block = [0; BLOCK];
    let mut count = 0;
    let mut put = |row| {
        block[count] = row;
        count += 1;
        if count == BLOCK {
            take(&block);
            count = 0;
        }
    };
    match valid {
        None => (0..len).for_each(&mut put),
        Some(valid) => valid.valid_indices().for_each(&mut put),
    }
    take(&block[..count]);
}

/// The sums of many groups do not fit into any cache, and waiting for them is what takes time.
/// Asked for with nothing else to do, many come at once; the result is of no use.
fn fetch<const N: usize>(sums: &[[ReproducibleSum; N]], groups: impl Iterator<Item = usize>) {
    let of_group = |asked, group: usize| {
        let sums = sums[group].iter();
        sums.fold(asked, |asked, sum| asked | sum.levels[0])
    };
    std::hint::black_box(groups.fold(0, of_group));
}

/// Adds a row to sums.
fn put<const N: usize>(sums: &mut [ReproducibleSum; N], a: f64, b: f64) {
    for (sum, term) in sums.iter_mut().zip(terms::<N>(a, b)) {
        add(&mut sum.height, &mut sum.levels, term);
    }
}

impl<const N: usize> GroupsAccumulator for Groups<N> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let (a, b) = columns(values);
        let (counts, sums) = (&mut self.counts, &mut self.sums);
        each_block(groups.len(), valid(nulls(a, b), filter), |rows| {
            fetch(sums, rows.iter().map(|row| groups[*row]));
            for row in rows {
                let group = groups[*row];
                counts[group] += 1;
                put(&mut sums[group], a.values()[*row], b.values()[*row]);
            }
        });
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        each_state(states, |row, count, sums| {
            let group = groups[row];
            self.counts[group] += count;
            merge(&mut self.sums[group], sums);
        })
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (counts, sums) = self.take(emit);
        if self.statistic == Statistic::RegrCount {
            return Ok(Arc::new(UInt64Array::from(counts)));
        }
        let of = |(count, sums): (&u64, &[ReproducibleSum; N])| self.statistic.of(*count, sums);
        let values = counts.iter().zip(&sums).map(of);
        Ok(Arc::new(values.collect::<Float64Array>()))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (counts, sums) = self.take(emit);
        let mut states = Vec::with_capacity(sums.len() * N * STATE_BYTES);
        sums.iter().for_each(|sums| write_all(sums, &mut states));
        states_of::<N>(UInt64Array::from(counts), states)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let (a, b) = columns(values);
        let rows = valid(nulls(a, b), filter);
        let mut states = Vec::with_capacity(a.len() * N * STATE_BYTES);
        for (a, b) in a.values().iter().zip(b.values()) {
            let mut sums = [ReproducibleSum::default(); N];
            put(&mut sums, *a, *b);
            write_all(&sums, &mut states);
        }
        // What is under a NULL or filtered counts for nothing.
        let count = |row| u64::from(rows.as_ref().is_none_or(|rows| rows.is_valid(row)));
        let counts = UInt64Array::from_iter_values((0..a.len()).map(count));
        states_of::<N>(counts, states)
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
            + self.sums.capacity() * size_of::<[ReproducibleSum; N]>()
    }
}

/// The rows that count; `None` is all.
fn valid(nulls: Option<NullBuffer>, filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let filter = filter.map(|filter| {
        let kept = match filter.nulls() {
            Some(nulls) => filter.values() & nulls.inner(),
            None => filter.values().clone(),
        };
        NullBuffer::new(kept)
    });
    NullBuffer::union(nulls.as_ref(), filter.as_ref())
}

fn states_of<const N: usize>(counts: UInt64Array, states: Vec<u8>) -> Result<Vec<ArrayRef>> {
    let width = (N * STATE_BYTES) as i32;
    let sums = FixedSizeBinaryArray::try_new(width, Buffer::from_vec(states), None)?;
    Ok(vec![Arc::new(counts), Arc::new(sums)])
}
