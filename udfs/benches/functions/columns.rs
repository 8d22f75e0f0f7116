//! Columns of [`ROWS`] rows, cut into batches: shuffled by a multiplicative hash, so that no
//! branch is foreseen.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

pub(crate) const ROWS: usize = 1 << 22;
/// The rows of a batch in DataFusion.
pub(crate) const BATCH: usize = 8192;

/// The fractional part of the golden ratio in 64 bits (Knuth, TAOCP 3, 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const YEAR_MICROS: u64 = 365 * 86_400_000_000;
/// 2025-01-01.
const START_MICROS: i64 = 1_735_689_600_000_000;

fn hash(row: usize) -> u64 {
    let mixed = (row as u64 + 1).wrapping_mul(GOLDEN);
    (mixed ^ (mixed >> 32)).wrapping_mul(GOLDEN)
}

/// A number below `limit` for each row.
pub(crate) fn below(limit: u64, row: usize) -> i64 {
    ((u128::from(hash(row)) * u128::from(limit)) >> 64) as i64
}

fn batches<A: arrow::array::Array + 'static>(
    make: impl Fn(std::ops::Range<usize>) -> A,
) -> Vec<ArrayRef> {
    (0..ROWS / BATCH)
        .map(|batch| Arc::new(make(batch * BATCH..(batch + 1) * BATCH)) as ArrayRef)
        .collect()
}

pub(crate) fn doubles(limit: u64) -> Vec<ArrayRef> {
    batches(|rows| {
        rows.map(|row| Some(below(limit, row) as f64))
            .collect::<Float64Array>()
    })
}

pub(crate) fn integers(limit: u64) -> Vec<ArrayRef> {
    batches(|rows| {
        rows.map(|row| Some(below(limit, row)))
            .collect::<Int64Array>()
    })
}

pub(crate) fn texts(limit: u64) -> Vec<ArrayRef> {
    batches(|rows| {
        let text = |row| Some(format!("C{:09}", below(limit, row)));
        rows.map(text).collect::<StringArray>()
    })
}

/// Moments within a year, in no order.
pub(crate) fn moments() -> Vec<ArrayRef> {
    batches(|rows| {
        let moment = |row| Some(START_MICROS + below(YEAR_MICROS, row));
        rows.map(moment).collect::<TimestampMicrosecondArray>()
    })
}
