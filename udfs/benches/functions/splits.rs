//! `bucket` and `holdout`: a SHA-256 a row.

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;
use divan::Bencher;

use crate::calls::{Argument, run};
use crate::columns::{integers, texts};

const PEOPLE: u64 = 10_000_000;

fn bucket(bencher: Bencher<'_, '_>, keys: Vec<ArrayRef>) {
    let parts = Argument::Constant(ScalarValue::from(10i64));
    let arguments = vec![Argument::Column(keys), Argument::text("spring"), parts];
    run(bencher, "bucket", arguments);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn bucket_of_integer(bencher: Bencher<'_, '_>) {
    bucket(bencher, integers(PEOPLE));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn bucket_of_text(bencher: Bencher<'_, '_>) {
    bucket(bencher, texts(PEOPLE));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn holdout_of_integer(bencher: Bencher<'_, '_>) {
    let share = Argument::Constant(ScalarValue::from(0.1));
    let keys = Argument::Column(integers(PEOPLE));
    run(
        bencher,
        "holdout",
        vec![keys, Argument::text("control"), share],
    );
}
