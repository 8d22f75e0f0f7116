//! `DISTINCT`: each value once, in groups and in window frames that move.

use arrow::array::{ArrayRef, AsArray};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;

use super::{Asked, Reversible, Types};
use crate::aggregate::occurrences::Occurrences;

/// The distinct values and their sum.
#[derive(Debug)]
pub(super) struct Distinct<T: Reversible> {
    occurrences: Occurrences<T::Input>,
    total: T,
    asked: Asked,
    types: Types,
}

impl<T: Reversible> Distinct<T> {
    pub(super) fn new(asked: Asked, types: &Types) -> Self {
        Self {
            occurrences: Occurrences::default(),
            total: T::new(types),
            asked,
            types: types.clone(),
        }
    }
}

impl<T: Reversible> Accumulator for Distinct<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let put = |value| self.total.put(value);
        self.occurrences.put(values[0].as_primitive(), put);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let take = |value| self.total.take(value);
        self.occurrences.take(values[0].as_primitive(), take)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match (self.asked, self.occurrences.count()) {
            (_, 0) => ScalarValue::try_new_null(&self.types.output),
            (Asked::Sum, _) => self.total.sum(),
            (Asked::Mean, count) => self.total.mean(count),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.total.size() + self.occurrences.heap()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.occurrences.state(&self.types.input)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in Occurrences::<T::Input>::handed_on(states, &self.types.input)? {
            self.update_batch(&[values])?;
        }
        Ok(())
    }
}
