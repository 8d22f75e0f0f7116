//! Sums of weights that depend on the weights alone.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, FixedSizeBinaryArray, Int64Array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type,
    Float64Type, Int64Type, i256,
};
use datafusion_common::{Result, exec_err};

use crate::aggregate::exact::{STATE_BYTES, read, write};
use crate::math::reproducible_sum::{ReproducibleSum, add};

/// A sum of weights.
pub(crate) trait Weight: Copy + Default + Debug + Send + Sync + 'static {
    /// A weight, or a sum that was handed on.
    fn of(array: &dyn Array, row: usize) -> Result<Self>;
    fn add(&mut self, other: Self);
    fn order(&self, other: &Self) -> Ordering;
    fn to_double(self) -> f64;
    /// What sums are handed on as.
    fn state_type() -> DataType;
    fn state(sums: Vec<Self>) -> Result<ArrayRef>;
}

/// How many rows.
impl Weight for i64 {
    fn of(array: &dyn Array, row: usize) -> Result<Self> {
        Ok(array.as_primitive::<Int64Type>().value(row))
    }

    fn add(&mut self, other: Self) {
        *self += other;
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn to_double(self) -> f64 {
        self as f64
    }

    fn state_type() -> DataType {
        DataType::Int64
    }

    fn state(sums: Vec<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(sums)))
    }
}

/// Digits of a decimal of which 128 bits hold the sum of more rows than there can be.
pub(super) const NARROW_DIGITS: u8 = 20;

impl Weight for i128 {
    fn of(array: &dyn Array, row: usize) -> Result<Self> {
        Ok(array.as_primitive::<Decimal128Type>().value(row))
    }

    fn add(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn to_double(self) -> f64 {
        self as f64
    }

    fn state_type() -> DataType {
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)
    }

    fn state(sums: Vec<Self>) -> Result<ArrayRef> {
        let sums = Decimal128Array::from(sums);
        Ok(Arc::new(sums.with_data_type(Self::state_type())))
    }
}

/// Of at most 38 digits: no sum of them wraps.
impl Weight for i256 {
    fn of(array: &dyn Array, row: usize) -> Result<Self> {
        Ok(array.as_primitive::<Decimal256Type>().value(row))
    }

    fn add(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn to_double(self) -> f64 {
        let (low, high) = self.wrapping_abs().to_parts();
        let size = high as f64 * 2.0_f64.powi(128) + low as f64;
        if self.is_negative() { -size } else { size }
    }

    fn state_type() -> DataType {
        DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0)
    }

    fn state(sums: Vec<Self>) -> Result<ArrayRef> {
        let sums = Decimal256Array::from(sums);
        Ok(Arc::new(sums.with_data_type(Self::state_type())))
    }
}

impl Weight for ReproducibleSum {
    fn of(array: &dyn Array, row: usize) -> Result<Self> {
        if let Some(sums) = array.as_fixed_size_binary_opt() {
            let (height, levels) = read(sums.value(row));
            return Ok(Self { height, levels });
        }
        let weight = array.as_primitive::<Float64Type>().value(row);
        if !weight.is_finite() {
            return exec_err!(
                "a weight is {weight}, which cannot be compared; leave such rows out with WHERE"
            );
        }
        let mut sum = Self::default();
        add(&mut sum.height, &mut sum.levels, weight);
        Ok(sum)
    }

    fn add(&mut self, other: Self) {
        self.merge(other);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.to_double().total_cmp(&other.to_double())
    }

    fn to_double(self) -> f64 {
        // -0 is 0.
        self.value().unwrap_or(0.0) + 0.0
    }

    fn state_type() -> DataType {
        DataType::FixedSizeBinary(STATE_BYTES as i32)
    }

    fn state(sums: Vec<Self>) -> Result<ArrayRef> {
        let mut bytes = Vec::with_capacity(sums.len() * STATE_BYTES);
        for sum in &sums {
            write(sum.height, &sum.levels, &mut bytes);
        }
        let bytes = Buffer::from_vec(bytes);
        let states = FixedSizeBinaryArray::try_new(STATE_BYTES as i32, bytes, None)?;
        Ok(Arc::new(states))
    }
}
