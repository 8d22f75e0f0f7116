//! The values that an exact quantile has to keep: gathering, merging, and a sliding window.

use std::collections::VecDeque;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, ScalarValue, internal_err};

use crate::cuts::{list_of, list_scalar};
use crate::math::quantile::cut_points;

/// The values of one measure in one group.
#[derive(Debug, Default)]
pub(super) struct Collected {
    values: Vec<f64>,
}

impl Collected {
    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.values.extend(values);
    }

    /// The cuts as a list, NULL without values. Reorders the values, so may be asked again.
    pub(super) fn cuts(&mut self, bins: usize) -> ScalarValue {
        list_scalar(cut_points(&mut self.values, bins))
    }

    /// The values as one list, to be merged elsewhere; they are handed over.
    pub(super) fn state(&mut self) -> ScalarValue {
        list_of(std::mem::take(&mut self.values))
    }

    /// Takes in the lists that [`Self::state`] made.
    pub(super) fn merge(&mut self, states: &ArrayRef) {
        for list in states.as_list::<i32>().iter().flatten() {
            self.values
                .extend_from_slice(list.as_primitive::<Float64Type>().values());
        }
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.values.capacity() * size_of::<f64>()
    }
}

/// The values of one measure in a window frame that slides: the oldest leave first.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    values: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Sliding {
    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.values.extend(values);
    }

    pub(super) fn drop_oldest(&mut self, count: usize) -> Result<()> {
        if count > self.values.len() {
            return internal_err!("more values leave the window frame than entered it");
        }
        self.values.drain(..count);
        Ok(())
    }

    pub(super) fn cuts(&mut self, bins: usize) -> ScalarValue {
        // A copy, because finding the cuts loses the order in which values leave.
        self.sorted.clear();
        self.sorted.extend(&self.values);
        list_scalar(cut_points(&mut self.sorted, bins))
    }

    pub(super) fn size(&self) -> usize {
        (self.values.capacity() + self.sorted.capacity()) * size_of::<f64>()
    }
}
