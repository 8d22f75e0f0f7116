//! Quantile cuts against R's type 7 reckoned in whole numbers, and in every way of gathering.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array};
use arrow::datatypes::DataType;
use proptest::prelude::*;

use super::{
    PARTITIONS, Placed, accumulator_of, aggregate, at_once, doubles, in_partitions, shuffled,
};
use crate::testing::{Constant, accumulator, lists, sliding_accumulator};

/// Whole numbers with ties and gaps.
fn values() -> impl Strategy<Value = Vec<Placed<Option<i64>>>> {
    let value = prop_oneof![3 => -5i64..5, 1 => -1_000_000i64..1_000_000];
    let value = prop::option::weighted(0.9, value);
    prop::collection::vec((value, any::<u32>(), 0..PARTITIONS), 0..80)
}

fn column(values: &[&Option<i64>]) -> Vec<ArrayRef> {
    vec![doubles(values.iter().map(|it| it.map(|it| it as f64)))]
}

fn cuts(value: &datafusion_common::ScalarValue) -> Option<Vec<f64>> {
    lists(&value.to_array().unwrap()).remove(0)
}

/// `bins` times each cut, without rounding. Type 7 of Hyndman & Fan, as R's documentation of
/// `quantile` writes it: with x sorted from 1 and n values, the quantile at p lies at
/// 1 + (n − 1)·p, linearly between its neighbours.
fn type_7(values: &[i64], bins: i64) -> Vec<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len() as i64 - 1;
    let cut = |i: i64| {
        let (below, rest) = (last * i / bins, last * i % bins);
        let low = sorted[below as usize];
        let high = sorted[(below + 1).min(last) as usize];
        low * (bins - rest) + high * rest
    };
    (1..bins).map(cut).collect()
}

/// Cuts of a column of any type, gathered at once.
fn of_type(data_type: DataType, column: ArrayRef, bins: i64) -> Option<Vec<f64>> {
    let types = [data_type, DataType::Int64];
    let exprs = vec![Constant::column(), Constant::of(bins)];
    let mut gathering = accumulator(&aggregate("quantile_cuts"), &types, exprs).unwrap();
    gathering.update_batch(&[column]).unwrap();
    cuts(&gathering.evaluate().unwrap())
}

proptest! {
    #[test]
    fn cuts_are_those_of_r(values in values(), bins in 2i64..=1000, batch in 1usize..9) {
        let known: Vec<i64> = values.iter().filter_map(|it| it.0).collect();
        let got = cuts(&in_partitions("quantile_cuts", bins, batch, &values, column));
        prop_assert_eq!(got.is_none(), known.is_empty());
        let Some(got) = got else { return Ok(()) };
        let expected = type_7(&known, bins);
        prop_assert_eq!(got.len(), expected.len());
        for (cut, exact) in got.iter().zip(&expected) {
            // The exact ones are whole, so a thousandth tells any two apart.
            prop_assert!((cut * bins as f64 - *exact as f64).abs() < 1e-3, "{} {}", cut, exact);
            if exact % bins == 0 && known.contains(&(exact / bins)) {
                prop_assert_eq!(*cut, (exact / bins) as f64, "a cut on a value is that value");
            }
        }
        prop_assert!(got.is_sorted());
    }

    #[test]
    fn order_batches_and_partitions_do_not_matter(
        values in prop::collection::vec((prop::option::weighted(0.9, -1e9..1e9f64), any::<u32>(), 0..PARTITIONS), 0..80),
        bins in 2i64..=40, batch in 1usize..9,
    ) {
        let column = |values: &[&Option<f64>]| vec![doubles(values.iter().map(|it| **it))];
        let written: Vec<&Option<f64>> = values.iter().map(|it| &it.0).collect();
        let whole = at_once("quantile_cuts", bins, &column(&written));
        prop_assert_eq!(in_partitions("quantile_cuts", bins, batch, &values, column), whole);
    }

    #[test]
    fn numbers_of_every_type_have_the_same_cuts(values in values(), bins in 2i64..=40) {
        let written = || values.iter().map(|it| it.0);
        let doubles = doubles(written().map(|it| it.map(|it| it as f64)));
        let expected = of_type(DataType::Float64, doubles, bins);
        let whole: ArrayRef = Arc::new(written().collect::<Int64Array>());
        prop_assert_eq!(&of_type(DataType::Int64, whole, bins), &expected);
        let cents = written().map(|it| it.map(|it| i128::from(it) * 100));
        let cents = Decimal128Array::from(cents.collect::<Vec<_>>());
        let cents = cents.with_precision_and_scale(20, 2).unwrap();
        let decimals = of_type(DataType::Decimal128(20, 2), Arc::new(cents), bins);
        prop_assert_eq!(&decimals, &expected);
    }

    /// A frame that slides gives at each step what its rows alone would.
    #[test]
    fn a_sliding_frame_is_its_rows(values in values(), width in 1usize..12, bins in 2i64..=9) {
        let order = shuffled(&values);
        let rows: Vec<&Option<i64>> = order.iter().map(|at| &values[*at].0).collect();
        let types = [DataType::Float64, DataType::Int64];
        let exprs = vec![Constant::column(), Constant::of(bins)];
        let mut sliding = sliding_accumulator(&aggregate("quantile_cuts"), &types, exprs).unwrap();
        for end in 1..=rows.len() {
            sliding.update_batch(&column(&rows[end - 1..end])).unwrap();
            if end > width {
                sliding.retract_batch(&column(&rows[end - width - 1..end - width])).unwrap();
            }
            let mut alone = accumulator_of("quantile_cuts", bins, 1);
            alone.update_batch(&column(&rows[end.saturating_sub(width)..end])).unwrap();
            prop_assert_eq!(sliding.evaluate().unwrap(), alone.evaluate().unwrap());
        }
    }
}
