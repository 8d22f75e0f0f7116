//! `DISTINCT` values of one column, in groups and in window frames that move.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;

use super::single::Frame;
use super::statistic::Statistic;
use super::terms::ONE_COLUMN;
use crate::aggregate::occurrences::Occurrences;

/// The distinct values and their sums.
#[derive(Debug)]
pub(super) struct Distinct {
    occurrences: Occurrences<Float64Type>,
    frame: Frame<ONE_COLUMN>,
}

impl Distinct {
    pub(super) fn new(statistic: Statistic) -> Self {
        Self {
            occurrences: Occurrences::default(),
            frame: Frame::new(statistic),
        }
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let put = |value| self.frame.put(value, value);
        self.occurrences.put(values[0].as_primitive(), put);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let take = |value| self.frame.take(value, value);
        self.occurrences.take(values[0].as_primitive(), take)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.frame.evaluate()
    }

    fn size(&self) -> usize {
        let frame = self.frame.size() - size_of_val(&self.frame);
        size_of_val(self) + frame + self.occurrences.heap()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.occurrences.state(&DataType::Float64)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in Occurrences::<Float64Type>::handed_on(states, &DataType::Float64)? {
            self.update_batch(&[values])?;
        }
        Ok(())
    }
}
