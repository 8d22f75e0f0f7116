//! What memory gives: the bytes of a column of doubles read, and copied batch by batch.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use crate::columns::{ROWS, doubles};

const COLUMN_BYTES: usize = ROWS * size_of::<f64>();
/// As many sums as fit two registers of 512 bits, so that none waits for the one before.
const LANES: usize = 16;

fn values(column: &ArrayRef) -> &[f64] {
    column.as_primitive::<Float64Type>().values()
}

fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for chunk in values.chunks_exact(LANES) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum()
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>) {
    let column = doubles(1 << 20);
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(COLUMN_BYTES))
        .bench_local(|| column.iter().map(|it| sum(values(it))).sum::<f64>());
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn copied(bencher: Bencher<'_, '_>) {
    let column = doubles(1 << 20);
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(2 * COLUMN_BYTES))
        .bench_local(|| {
            for batch in &column {
                black_box(values(batch).to_vec());
            }
        });
}
