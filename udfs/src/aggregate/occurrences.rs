//! How often each value is there, for `DISTINCT`.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::DataType;
use datafusion_common::hash_utils::RandomState;
use datafusion_common::{HashMap, Result, ScalarValue, internal_datafusion_err, internal_err};
use datafusion_functions_aggregate_common::utils::Hashable;

use super::distinct::{self, Plain};

/// The distinct values with how often they are there.
#[derive(Debug)]
pub(super) struct Occurrences<T: ArrowPrimitiveType>(
    HashMap<Hashable<T::Native>, u64, RandomState>,
);

impl<T: ArrowPrimitiveType> Default for Occurrences<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

/// How the distinct numbers of a type are kept.
pub(super) fn plain_of(data_type: &DataType) -> Result<Plain> {
    let plain = Plain::of_types(std::slice::from_ref(data_type))?;
    plain.ok_or_else(|| internal_datafusion_err!("{data_type} is no number"))
}

/// -0 and 0 are one value.
fn plain<N: ArrowNativeTypeOp>(value: N) -> N {
    value.add_wrapping(N::ZERO)
}

impl<T: ArrowPrimitiveType> Occurrences<T> {
    /// Counts values; `new` is told those that were not there.
    pub(super) fn put(&mut self, values: &PrimitiveArray<T>, mut new: impl FnMut(T::Native)) {
        for value in values.iter().flatten().map(plain) {
            let times = self.0.entry(Hashable(value)).or_insert(0);
            *times += 1;
            if *times == 1 {
                new(value);
            }
        }
    }

    /// Counts values out; `gone` is told those that are there no more.
    pub(super) fn take(
        &mut self,
        values: &PrimitiveArray<T>,
        mut gone: impl FnMut(T::Native),
    ) -> Result<()> {
        for value in values.iter().flatten().map(plain) {
            let Some(times) = self.0.get_mut(&Hashable(value)) else {
                return internal_err!("a value leaves the window frame that never entered it");
            };
            *times -= 1;
            if *times == 0 {
                self.0.remove(&Hashable(value));
                gone(value);
            }
        }
        Ok(())
    }

    /// How many distinct values there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The distinct values, which are of a type, as they are handed on.
    pub(super) fn state(&self, data_type: &DataType) -> Result<Vec<ScalarValue>> {
        let values = self.0.keys().map(|value| value.0);
        let values = PrimitiveArray::<T>::from_iter_values(values);
        let values = values.with_data_type(data_type.clone());
        distinct::state_of(&plain_of(data_type)?, Arc::new(values))
    }

    /// The values that were handed on.
    pub(super) fn handed_on(states: &[ArrayRef], data_type: &DataType) -> Result<[ArrayRef; 2]> {
        distinct::values_of(&plain_of(data_type)?, states, data_type)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        // A byte of control and at least an eighth of empty places beside each entry.
        let entry = size_of::<(Hashable<T::Native>, u64)>() + 1;
        self.0.capacity() * entry * 8 / 7
    }
}
