//! One group: rows that only come, and rows of a window frame that moves.

use arrow::array::ArrayRef;
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::Accumulator;

use super::statistic::Statistic;
use super::terms::{each_block, each_state, extend, merge, state_type, terms, write_all};
use crate::aggregate::exact::STATE_BYTES;
use crate::math::reproducible_sum::ReproducibleSum;
use crate::math::superaccumulator::Superaccumulator;

/// Rows that only come.
#[derive(Debug)]
pub(super) struct Single<const N: usize> {
    statistic: Statistic,
    count: u64,
    sums: [ReproducibleSum; N],
}

impl<const N: usize> Single<N> {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self {
            statistic,
            count: 0,
            sums: [ReproducibleSum::default(); N],
        }
    }
}

impl<const N: usize> Accumulator for Single<N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each_block(values, |a, b| {
            self.count += a.len() as u64;
            extend(&mut self.sums, a, b);
        });
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.statistic.scalar(self.count, &self.sums))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = Vec::with_capacity(N * STATE_BYTES);
        write_all(&self.sums, &mut state);
        let sums = ScalarValue::FixedSizeBinary((N * STATE_BYTES) as i32, Some(state));
        debug_assert_eq!(sums.data_type(), state_type(N));
        Ok(vec![self.count.into(), sums])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each_state(states, |_, count, sums| {
            self.count += count;
            merge(&mut self.sums, sums);
        })
    }
}

/// Rows of a frame whose start moves.
#[derive(Debug)]
pub(super) struct Frame<const N: usize> {
    statistic: Statistic,
    count: u64,
    sums: [Superaccumulator; N],
}

impl<const N: usize> Frame<N> {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self {
            statistic,
            count: 0,
            sums: std::array::from_fn(|_| Superaccumulator::default()),
        }
    }

    pub(super) fn put(&mut self, a: f64, b: f64) {
        self.count += 1;
        for (sum, term) in self.sums.iter_mut().zip(terms::<N>(a, b)) {
            sum.add(term);
        }
    }

    pub(super) fn take(&mut self, a: f64, b: f64) {
        self.count -= 1;
        for (sum, term) in self.sums.iter_mut().zip(terms::<N>(a, b)) {
            sum.remove(term);
        }
    }
}

impl<const N: usize> Accumulator for Frame<N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each_block(values, |a, b| {
            a.iter().zip(b).for_each(|(a, b)| self.put(*a, *b));
        });
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each_block(values, |a, b| {
            a.iter().zip(b).for_each(|(a, b)| self.take(*a, *b));
        });
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.statistic.scalar(self.count, &self.sums))
    }

    fn size(&self) -> usize {
        size_of_val(self) + N * Superaccumulator::HEAP
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a window frame has no partial state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("a window frame has no partial state")
    }
}
