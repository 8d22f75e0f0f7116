//! `DISTINCT`: each value once, in groups and in window frames that move.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion_common::hash_utils::RandomState;
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{HashMap, Result, ScalarValue, internal_err};
use datafusion_expr::Accumulator;
use datafusion_functions_aggregate_common::utils::Hashable;

use super::{Asked, Reversible, Types};

type Native<T> = <T as ArrowPrimitiveType>::Native;

/// The distinct values with how often they are there, and their sum.
#[derive(Debug)]
pub(super) struct Distinct<T: Reversible> {
    times: HashMap<Hashable<Native<T::Input>>, u64, RandomState>,
    total: T,
    asked: Asked,
    types: Types,
}

impl<T: Reversible> Distinct<T> {
    pub(super) fn new(asked: Asked, types: &Types) -> Self {
        Self {
            times: HashMap::default(),
            total: T::new(types),
            asked,
            types: types.clone(),
        }
    }

    fn put(&mut self, values: &PrimitiveArray<T::Input>) {
        for value in values.iter().flatten() {
            // -0 and 0 are one value.
            let value = value.add_wrapping(Native::<T::Input>::ZERO);
            let times = self.times.entry(Hashable(value)).or_insert(0);
            *times += 1;
            if *times == 1 {
                self.total.put(value);
            }
        }
    }
}

impl<T: Reversible> Accumulator for Distinct<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.put(values[0].as_primitive());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T::Input>().iter().flatten() {
            let value = value.add_wrapping(Native::<T::Input>::ZERO);
            let Some(times) = self.times.get_mut(&Hashable(value)) else {
                return internal_err!("a value leaves the window frame that never entered it");
            };
            *times -= 1;
            if *times == 0 {
                self.times.remove(&Hashable(value));
                self.total.take(value);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.asked {
            _ if self.times.is_empty() => ScalarValue::try_new_null(&self.types.output),
            Asked::Sum => self.total.sum(),
            Asked::Mean => self.total.mean(self.times.len() as u64),
        }
    }

    fn size(&self) -> usize {
        // A byte of control and at least an eighth of empty places beside each entry.
        let entry = size_of::<(Hashable<Native<T::Input>>, u64)>() + 1;
        size_of_val(self) + self.total.size() + self.times.capacity() * entry * 8 / 7
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.times.keys().map(|value| value.0);
        let values = PrimitiveArray::<T::Input>::from_iter_values(values);
        let values = values.with_data_type(self.types.input.clone());
        let list = SingleRowListArrayBuilder::new(Arc::new(values));
        Ok(vec![list.with_nullable(true).build_list_scalar()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.put(values.as_primitive());
        }
        Ok(())
    }
}
