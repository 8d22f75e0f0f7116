//! Sums of doubles, by [`crate::math::reproducible_sum`].

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, PrimitiveArray,
};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::EmitTo;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::accumulate;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::nulls::filtered_null_mask;

use super::{GroupTotals, Partial, Reversible, Total, Types};
use crate::math::reproducible_sum::{
    EMPTY, Levels, ReproducibleSum, add, add_to_groups, merge, value,
};
use crate::math::superaccumulator::Superaccumulator;

/// A state as bytes: the height, and the levels from the lowest, little-endian.
pub(in crate::aggregate) const STATE_BYTES: usize = 1 + size_of::<Levels>();
/// Values that are looked at together: few enough to stay in the fastest cache.
const GATHERED: usize = 256;

pub(super) fn state_type() -> DataType {
    DataType::FixedSizeBinary(STATE_BYTES as i32)
}

pub(in crate::aggregate) fn write(height: u8, levels: &Levels, state: &mut Vec<u8>) {
    state.push(height);
    for level in levels {
        state.extend_from_slice(&level.to_le_bytes());
    }
}

pub(in crate::aggregate) fn read(state: &[u8]) -> (u8, Levels) {
    let mut levels = Levels::default();
    for (level, bytes) in levels.iter_mut().zip(state[1..].as_chunks::<8>().0) {
        *level = i64::from_le_bytes(*bytes);
    }
    (state[0], levels)
}

/// The states that are not NULL, with their rows.
fn each_state(states: &ArrayRef, mut take: impl FnMut(usize, u8, Levels)) -> Result<()> {
    let Some(states) = states.as_fixed_size_binary_opt() else {
        return internal_err!("the state of a sum is no FixedSizeBinary");
    };
    if states.value_length() as usize != STATE_BYTES {
        return internal_err!("the state of a sum has {} bytes", states.value_length());
    }
    for row in 0..states.len() {
        if states.is_valid(row) {
            let (height, levels) = read(states.value(row));
            take(row, height, levels);
        }
    }
    Ok(())
}

/// The sum of values that only come.
#[derive(Debug)]
pub(super) struct DoubleTotal(ReproducibleSum);

impl Total for DoubleTotal {
    type Input = Float64Type;

    fn new(_types: &Types) -> Self {
        Self(ReproducibleSum::default())
    }

    fn extend(&mut self, values: &PrimitiveArray<Float64Type>) {
        let Some(nulls) = values.nulls().filter(|nulls| nulls.null_count() > 0) else {
            return self.0.extend(values.values());
        };
        let mut gathered = [0.0; GATHERED];
        let mut count = 0;
        for row in nulls.valid_indices() {
            gathered[count] = values.values()[row];
            count += 1;
            if count == GATHERED {
                self.0.extend(&gathered);
                count = 0;
            }
        }
        self.0.extend(&gathered[..count]);
    }

    fn sum(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0.value()))
    }

    fn mean(&self, count: u64) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(
            self.0.value().map(|sum| sum / count as f64),
        ))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

impl Partial for DoubleTotal {
    fn state(&self) -> Result<ScalarValue> {
        let mut state = Vec::with_capacity(STATE_BYTES);
        write(self.0.height, &self.0.levels, &mut state);
        Ok(ScalarValue::FixedSizeBinary(
            STATE_BYTES as i32,
            Some(state),
        ))
    }

    fn merge(&mut self, states: &ArrayRef) -> Result<()> {
        each_state(states, |_, height, levels| {
            self.0.merge(ReproducibleSum { height, levels });
        })
    }
}

/// The sum of values that come and go.
#[derive(Debug)]
pub(super) struct DoubleFrame(Superaccumulator);

impl Total for DoubleFrame {
    type Input = Float64Type;

    fn new(_types: &Types) -> Self {
        Self(Superaccumulator::default())
    }

    fn extend(&mut self, values: &PrimitiveArray<Float64Type>) {
        values.iter().flatten().for_each(|value| self.0.add(value));
    }

    fn sum(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(Some(self.0.value())))
    }

    fn mean(&self, count: u64) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(Some(self.0.value() / count as f64)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + Superaccumulator::HEAP
    }
}

impl Reversible for DoubleFrame {
    fn put(&mut self, value: f64) {
        self.0.add(value);
    }

    fn take(&mut self, value: f64) {
        self.0.remove(value);
    }
}

/// The sums of groups: heights apart, so that a row touches half a cache line of levels.
#[derive(Debug)]
pub(super) struct DoubleGroups {
    heights: Vec<u8>,
    levels: Vec<Levels>,
}

impl DoubleGroups {
    fn grow(&mut self, total: usize) {
        self.heights.resize(total, EMPTY);
        self.levels.resize(total, Levels::default());
    }

    fn take(&mut self, emit: EmitTo) -> impl Iterator<Item = (u8, Levels)> {
        let heights = emit.take_needed(&mut self.heights);
        let levels = emit.take_needed(&mut self.levels);
        heights.into_iter().zip(levels)
    }
}

impl GroupTotals for DoubleGroups {
    fn new(_types: &Types) -> Self {
        Self {
            heights: vec![],
            levels: vec![],
        }
    }

    fn update(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let (heights, levels) = (&mut self.heights, &mut self.levels);
        let values = values.as_primitive::<Float64Type>();
        if values.null_count() == 0 && filter.is_none() {
            let values = values.values().chunks(GATHERED);
            for (groups, values) in groups.chunks(GATHERED).zip(values) {
                add_to_groups(heights, levels, groups, values);
            }
            return Ok(());
        }
        accumulate(groups, values, filter, |group, value| {
            add(&mut heights[group], &mut levels[group], value);
        });
        Ok(())
    }

    fn merge(&mut self, states: &ArrayRef, groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        each_state(states, |row, height, levels| {
            let group = groups[row];
            merge(
                &mut self.heights[group],
                &mut self.levels[group],
                height,
                levels,
            );
        })
    }

    fn state(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let mut states = vec![];
        for (height, levels) in self.take(emit) {
            write(height, &levels, &mut states);
        }
        array_of(states, None)
    }

    fn sums(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let sums = self
            .take(emit)
            .map(|(height, levels)| value(height, &levels));
        Ok(Arc::new(sums.collect::<Float64Array>()))
    }

    fn means(&mut self, emit: EmitTo, counts: &[u64]) -> Result<ArrayRef> {
        let means = self
            .take(emit)
            .zip(counts)
            .map(|((height, levels), count)| Some(value(height, &levels)? / *count as f64));
        Ok(Arc::new(means.collect::<Float64Array>()))
    }

    fn as_states(&self, values: &ArrayRef, filter: Option<&BooleanArray>) -> Result<ArrayRef> {
        let values = values.as_primitive::<Float64Type>();
        let mut states = Vec::with_capacity(values.len() * STATE_BYTES);
        for value in values.values() {
            let mut one = ReproducibleSum::default();
            add(&mut one.height, &mut one.levels, *value);
            write(one.height, &one.levels, &mut states);
        }
        array_of(states, filtered_null_mask(filter, values))
    }

    fn size(&self) -> usize {
        self.heights.capacity() + self.levels.capacity() * size_of::<Levels>()
    }
}

fn array_of(states: Vec<u8>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let states = Buffer::from_vec(states);
    Ok(Arc::new(FixedSizeBinaryArray::try_new(
        STATE_BYTES as i32,
        states,
        nulls,
    )?))
}
