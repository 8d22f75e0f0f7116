//! One group: values that only come, and values of a window frame that moves.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::UInt64Type;
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::Accumulator;

use super::{Asked, Partial, Reversible, Total, Types};

fn valid(values: &ArrayRef) -> u64 {
    (values.len() - values.null_count()) as u64
}

fn evaluate<T: Total>(total: &T, count: u64, asked: Asked, types: &Types) -> Result<ScalarValue> {
    match asked {
        _ if count == 0 => ScalarValue::try_new_null(&types.output),
        Asked::Sum => total.sum(),
        Asked::Mean => total.mean(count),
    }
}

/// Values that only come.
#[derive(Debug)]
pub(super) struct Single<T> {
    total: T,
    count: u64,
    asked: Asked,
    types: Types,
}

impl<T: Partial> Single<T> {
    pub(super) fn new(asked: Asked, types: &Types) -> Self {
        Self {
            total: T::new(types),
            count: 0,
            asked,
            types: types.clone(),
        }
    }
}

impl<T: Partial> Accumulator for Single<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += valid(&values[0]);
        self.total.extend(values[0].as_primitive::<T::Input>());
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        evaluate(&self.total, self.count, self.asked, &self.types)
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.total) + self.total.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut sum = self.total.state()?;
        if self.count == 0 {
            sum = ScalarValue::try_new_null(&sum.data_type())?;
        }
        Ok(match self.asked {
            Asked::Sum => vec![sum],
            Asked::Mean => vec![self.count.into(), sum],
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sums = match self.asked {
            Asked::Sum => {
                self.count += valid(&states[0]);
                &states[0]
            }
            Asked::Mean => {
                let counts = states[0].as_primitive::<UInt64Type>();
                self.count += counts.iter().flatten().sum::<u64>();
                &states[1]
            }
        };
        self.total.merge(sums)
    }
}

/// Values of a frame whose start moves.
#[derive(Debug)]
pub(super) struct Frame<T> {
    total: T,
    count: u64,
    asked: Asked,
    types: Types,
}

impl<T: Reversible> Frame<T> {
    pub(super) fn new(asked: Asked, types: &Types) -> Self {
        Self {
            total: T::new(types),
            count: 0,
            asked,
            types: types.clone(),
        }
    }
}

impl<T: Reversible> Accumulator for Frame<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += valid(&values[0]);
        self.total.extend(values[0].as_primitive::<T::Input>());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count -= valid(&values[0]);
        let values = values[0].as_primitive::<T::Input>();
        values
            .iter()
            .flatten()
            .for_each(|value| self.total.take(value));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        evaluate(&self.total, self.count, self.asked, &self.types)
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.total) + self.total.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        internal_err!("a window frame has no partial state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        internal_err!("a window frame has no partial state")
    }
}
