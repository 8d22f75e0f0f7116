//! Bins, scores from given cuts, and names of segments.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StructArray};
use arrow::datatypes::{Field, Float64Type};
use datafusion_common::ScalarValue;
use divan::Bencher;

use crate::calls::{Argument, run};
use crate::columns::{BATCH, ROWS, doubles, integers};

fn list(cuts: &[f64]) -> ArrayRef {
    let cuts = cuts.iter().copied().map(Some).collect::<Vec<_>>();
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([Some(
        cuts,
    )]))
}

fn constant(array: &ArrayRef) -> Argument {
    Argument::Constant(ScalarValue::try_from_array(array, 0).expect("has a row"))
}

#[divan::bench(args = [4, 9, 99], sample_count = 10, sample_size = 1)]
fn bin_of(bencher: Bencher<'_, '_>, cuts: usize) {
    let step = 1000.0 / (cuts + 1) as f64;
    let cuts: Vec<f64> = (1..=cuts).map(|at| at as f64 * step).collect();
    let x = Argument::Column(doubles(1000));
    run(bencher, "bin_of", vec![x, constant(&list(&cuts))]);
}

/// The lists of one, repeated in every row.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bin_of_cuts_in_a_column(bencher: Bencher<'_, '_>) {
    let one = ScalarValue::try_from_array(&list(&[200.0, 400.0, 600.0, 800.0]), 0);
    let cuts = one
        .expect("has a row")
        .to_array_of_size(BATCH)
        .expect("repeats");
    let cuts = Argument::Column(vec![cuts; ROWS / BATCH]);
    run(
        bencher,
        "bin_of",
        vec![Argument::Column(doubles(1000)), cuts],
    );
}

fn cuts() -> ArrayRef {
    let part = |name: &str, cuts: &[f64]| {
        let list = list(cuts);
        (
            Arc::new(Field::new(name, list.data_type().clone(), true)),
            list,
        )
    };
    Arc::new(StructArray::from(vec![
        part("recency", &[30.0, 60.0, 120.0, 240.0]),
        part("frequency", &[1.0, 2.0, 4.0, 9.0]),
        part("monetary", &[50.0, 100.0, 250.0, 500.0]),
    ]))
}

fn measures() -> Vec<Argument> {
    [integers(365), integers(12), doubles(1000)]
        .map(Argument::Column)
        .into()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn rfm_score_with(bencher: Bencher<'_, '_>) {
    let mut arguments = measures();
    arguments.push(constant(&cuts()));
    run(bencher, "rfm_score_with", arguments);
}

/// As a query that joins the cuts sees it.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn rfm_score_with_cuts_in_a_column(bencher: Bencher<'_, '_>) {
    let one = ScalarValue::try_from_array(&cuts(), 0).expect("has a row");
    let repeated = one.to_array_of_size(BATCH).expect("repeats");
    let mut arguments = measures();
    arguments.push(Argument::Column(vec![repeated; ROWS / BATCH]));
    run(bencher, "rfm_score_with", arguments);
}

fn score(places: i64) -> Vec<ArrayRef> {
    let digit = |value: f64| (value as i64 / places % 5 + 1) as i32;
    let column = |batch: &ArrayRef| -> ArrayRef {
        let values: &Float64Array = arrow::array::AsArray::as_primitive(batch);
        let digits = values.iter().map(|it| it.map(digit));
        Arc::new(digits.collect::<arrow::array::Int32Array>())
    };
    doubles(1000).iter().map(column).collect()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn segment_of(bencher: Bencher<'_, '_>) {
    let scores = [score(1), score(5), score(25)].map(Argument::Column);
    run(bencher, "segment_of", scores.into());
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn segment_of_struct(bencher: Bencher<'_, '_>) {
    let parts = [score(1), score(5), score(25)];
    let whole = |batch: usize| -> ArrayRef {
        let part = |(name, column): (&str, &Vec<ArrayRef>)| {
            let field = Field::new(name, column[batch].data_type().clone(), true);
            (Arc::new(field), Arc::clone(&column[batch]))
        };
        let parts: Vec<_> = ["r", "f", "m"].into_iter().zip(&parts).map(part).collect();
        Arc::new(StructArray::from(parts))
    };
    let scores = Argument::Column((0..ROWS / BATCH).map(whole).collect());
    run(bencher, "segment_of", vec![scores, Argument::text("rfm_r")]);
}
