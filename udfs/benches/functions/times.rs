//! `days_since` and `hours_since`.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use divan::Bencher;

use crate::calls::{Argument, run};
use crate::columns::{integers, moments};

/// 2026-01-01.
const AS_OF: i32 = 20_454;

fn cast(batches: Vec<ArrayRef>, to: &DataType) -> Vec<ArrayRef> {
    let cast = |it: ArrayRef| arrow::compute::cast(&it, to).expect("casts");
    batches.into_iter().map(cast).collect()
}

fn dates() -> Vec<ArrayRef> {
    let days = cast(integers(20_000), &DataType::Int32);
    cast(days, &DataType::Date32)
}

fn since(bencher: Bencher<'_, '_>, name: &str, x: Vec<ArrayRef>, zone: &str) {
    let to = Argument::Constant(ScalarValue::Date32(Some(AS_OF)));
    run(
        bencher,
        name,
        vec![Argument::Column(x), to, Argument::text(zone)],
    );
}

fn instants() -> Vec<ArrayRef> {
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    cast(moments(), &zoned)
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn days_since_date(bencher: Bencher<'_, '_>) {
    since(bencher, "days_since", dates(), "UTC");
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn days_since_timestamp(bencher: Bencher<'_, '_>) {
    since(bencher, "days_since", moments(), "UTC");
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn days_since_instant_in_warsaw(bencher: Bencher<'_, '_>) {
    since(bencher, "days_since", instants(), "Europe/Warsaw");
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn days_between_columns(bencher: Bencher<'_, '_>) {
    let columns = [dates(), moments()].map(Argument::Column);
    run(bencher, "days_since", columns.into());
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn hours_since_timestamp(bencher: Bencher<'_, '_>) {
    since(bencher, "hours_since", moments(), "UTC");
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn hours_since_wall_clock_in_warsaw(bencher: Bencher<'_, '_>) {
    since(bencher, "hours_since", moments(), "Europe/Warsaw");
}
