//! The sums that are kept: which they are, the rows they are of, and their bytes.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float64Type, UInt64Type};
use datafusion_common::{Result, internal_err};

use crate::aggregate::exact::{STATE_BYTES, read, write};
use crate::math::moments::product;
use crate::math::reproducible_sum::ReproducibleSum;

/// Terms of one column, which stands for both: its square, in two parts, and itself.
pub(super) const ONE_COLUMN: usize = 3;
/// Terms of the product of two columns: that and both.
pub(super) const PRODUCT: usize = 4;
/// And their squares, each in two parts.
pub(super) const TWO_COLUMNS: usize = 8;

/// Where the terms are; the second part of a product follows the first.
pub(super) const AB: usize = 0;
pub(super) const A: usize = 2;
pub(super) const B: usize = 3;
pub(super) const AA: usize = 4;
pub(super) const BB: usize = 6;

/// Rows that are looked at together: few enough to stay in the fastest cache.
const BLOCK: usize = 256;

/// What a row adds to the sums.
#[inline]
pub(super) fn terms<const N: usize>(a: f64, b: f64) -> [f64; N] {
    let (ab, aa, bb) = (product(a, b), product(a, a), product(b, b));
    // What is not asked for is not computed.
    let all: [f64; TWO_COLUMNS] = [ab.0, ab.1, a, b, aa.0, aa.1, bb.0, bb.1];
    std::array::from_fn(|term| all[term])
}

/// The columns of a call; the only one stands for both.
pub(super) fn columns(values: &[ArrayRef]) -> (&Float64Array, &Float64Array) {
    let a = values[0].as_primitive::<Float64Type>();
    let b = values.get(1).map_or(a, |b| b.as_primitive());
    (a, b)
}

/// The NULLs of rows of which any column is NULL.
pub(super) fn nulls(a: &Float64Array, b: &Float64Array) -> Option<NullBuffer> {
    NullBuffer::union(a.nulls(), b.nulls()).filter(|nulls| nulls.null_count() > 0)
}

/// The rows without NULL, in blocks.
pub(super) fn each_block(values: &[ArrayRef], mut take: impl FnMut(&[f64], &[f64])) {
    let (a, b) = columns(values);
    let Some(nulls) = nulls(a, b) else {
        let blocks = a.values().chunks(BLOCK).zip(b.values().chunks(BLOCK));
        return blocks.for_each(|(a, b)| take(a, b));
    };
    let mut gathered = [[0.0; BLOCK]; 2];
    let mut count = 0;
    for row in nulls.valid_indices() {
        gathered[0][count] = a.values()[row];
        gathered[1][count] = b.values()[row];
        count += 1;
        if count == BLOCK {
            take(&gathered[0], &gathered[1]);
            count = 0;
        }
    }
    take(&gathered[0][..count], &gathered[1][..count]);
}

/// Adds the terms of rows to their sums.
pub(super) fn extend<const N: usize>(sums: &mut [ReproducibleSum; N], a: &[f64], b: &[f64]) {
    let mut columns = [[0.0; BLOCK]; N];
    for (row, (a, b)) in a.iter().zip(b).enumerate() {
        let terms = terms::<N>(*a, *b);
        for (column, term) in columns.iter_mut().zip(terms) {
            column[row] = term;
        }
    }
    for (sum, column) in sums.iter_mut().zip(&columns) {
        sum.extend(&column[..a.len()]);
    }
}

/// The type of states: the bytes of each sum, one after the other.
pub(super) fn state_type(terms: usize) -> DataType {
    DataType::FixedSizeBinary((terms * STATE_BYTES) as i32)
}

pub(super) fn write_all(sums: &[ReproducibleSum], state: &mut Vec<u8>) {
    for sum in sums {
        write(sum.height, &sum.levels, state);
    }
}

/// The counts and sums handed on that are not of nothing, with their rows.
pub(super) fn each_state<const N: usize>(
    states: &[ArrayRef],
    mut take: impl FnMut(usize, u64, [ReproducibleSum; N]),
) -> Result<()> {
    let counts = states[0].as_primitive::<UInt64Type>();
    let sums = match states[1].as_fixed_size_binary_opt() {
        Some(sums) if *sums.data_type() == state_type(N) => sums,
        _ => return internal_err!("the state of {N} sums is {}", states[1].data_type()),
    };
    for (row, count) in counts.iter().enumerate() {
        let Some(count) = count.filter(|count| *count > 0 && sums.is_valid(row)) else {
            continue;
        };
        let state = sums.value(row);
        let sum = |term: usize| {
            let (height, levels) = read(&state[term * STATE_BYTES..][..STATE_BYTES]);
            ReproducibleSum { height, levels }
        };
        take(row, count, std::array::from_fn(sum));
    }
    Ok(())
}

/// Adds sums to sums.
pub(super) fn merge<const N: usize>(sums: &mut [ReproducibleSum; N], others: [ReproducibleSum; N]) {
    for (sum, other) in sums.iter_mut().zip(others) {
        sum.merge(other);
    }
}
