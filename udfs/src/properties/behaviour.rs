//! What is told of behaviour against reckonings with maps and fractions, and in every way of
//! gathering: whatever the order, batches, partial states and groups given out early.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    StringViewArray,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::ScalarValue;
use datafusion_expr::{EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use super::aggregate;
use crate::testing::{Constant, accumulator, groups_accumulator};

/// How many groups rows are of: more than one bucket holds, most of them empty.
const GROUPS: usize = 9000;

/// A group, a value, a weight, whether the filter lets it pass, and how it is handed on.
type Row = (usize, Option<u8>, Option<i32>, bool, u8);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let group = prop_oneof![4 => 0..4_usize, 1 => 4090..4100_usize, 1 => 8990..GROUPS];
    let value = prop::option::weighted(0.9, 0..5_u8);
    let weight = prop::option::weighted(0.9, -3..6_i32);
    prop::collection::vec((group, value, weight, any::<bool>(), 0..4_u8), 0..80)
}

/// The columns of a function over such rows.
type Columns = fn(&[Row]) -> Vec<ArrayRef>;

fn types(columns: Columns) -> Vec<DataType> {
    columns(&[])
        .iter()
        .map(|it| it.data_type().clone())
        .collect()
}

fn update(groups: &mut dyn GroupsAccumulator, columns: Columns, rows: &[Row]) {
    let owners: Vec<usize> = rows.iter().map(|row| row.0).collect();
    let filter: BooleanArray = rows.iter().map(|row| Some(row.3)).collect();
    groups
        .update_batch(&columns(rows), &owners, Some(&filter), GROUPS)
        .unwrap();
}

/// Rows of one kind come as they are, others as partial states or states of single rows, and the
/// answers leave in two parts.
fn in_pieces(name: &str, columns: Columns, rows: &[Row], cut: usize) -> ArrayRef {
    let make = || groups_accumulator(&aggregate(name), &types(columns));
    let of_kind = |kind: u8| -> Vec<Row> {
        let own = rows.iter().rev().filter(|row| row.4 == kind);
        own.copied().collect()
    };
    let mut all = make();
    for part in of_kind(0).chunks(3) {
        update(&mut *all, columns, part);
    }
    let every: Vec<usize> = (0..GROUPS).collect();
    for kind in 1..3 {
        let mut part = make();
        update(&mut *part, columns, &of_kind(kind));
        let first = part.state(EmitTo::First(cut)).unwrap();
        let rest = part.state(EmitTo::All).unwrap();
        all.merge_batch(&first, &every[..cut], GROUPS).unwrap();
        all.merge_batch(&rest, &every[cut..], GROUPS).unwrap();
    }
    let single = of_kind(3);
    let owners: Vec<usize> = single.iter().map(|row| row.0).collect();
    let filter: BooleanArray = single.iter().map(|row| Some(row.3)).collect();
    let states = make()
        .convert_to_state(&columns(&single), Some(&filter))
        .unwrap();
    all.merge_batch(&states, &owners, GROUPS).unwrap();
    assert!(all.size() > 0);
    let first = all.evaluate(EmitTo::First(cut)).unwrap();
    let rest = all.evaluate(EmitTo::All).unwrap();
    concat(&[&first, &rest]).unwrap()
}

/// One group after the other, by the accumulator that windows ask after every row.
fn one_by_one(name: &str, columns: Columns, rows: &[Row], group: usize) -> ScalarValue {
    let types = types(columns);
    let exprs = types.iter().map(|_| Constant::column()).collect();
    let mut lone = accumulator(&aggregate(name), &types, exprs).unwrap();
    let own = rows.iter().filter(|row| row.0 == group && row.3);
    for row in own {
        lone.update_batch(&columns(&[*row])).unwrap();
        lone.evaluate().unwrap();
    }
    let state = lone.state().unwrap();
    let state: Vec<ArrayRef> = state.iter().map(|it| it.to_array().unwrap()).collect();
    let exprs = types.iter().map(|_| Constant::column()).collect();
    let mut merged = accumulator(&aggregate(name), &types, exprs).unwrap();
    merged.merge_batch(&state).unwrap();
    assert_eq!(merged.evaluate().unwrap(), lone.evaluate().unwrap());
    lone.evaluate().unwrap()
}

fn values(rows: &[Row]) -> ArrayRef {
    // Beyond the twelve bytes that a view holds, and the same up to the last one.
    let text = |value: u8| format!("something with a long name {value}");
    Arc::new(
        rows.iter()
            .map(|row| row.1.map(text))
            .collect::<StringViewArray>(),
    )
}

fn with_cents(rows: &[Row]) -> Vec<ArrayRef> {
    let cents = rows.iter().map(|row| row.2.map(i128::from));
    let cents = Decimal128Array::from(cents.collect::<Vec<_>>());
    let cents = cents.with_precision_and_scale(20, 2).unwrap();
    vec![values(rows), Arc::new(cents)]
}

fn with_doubles(rows: &[Row]) -> Vec<ArrayRef> {
    let doubles = rows.iter().map(|row| row.2.map(|it| f64::from(it) * 0.1));
    vec![values(rows), Arc::new(doubles.collect::<Float64Array>())]
}

fn without_weights(rows: &[Row]) -> Vec<ArrayRef> {
    vec![values(rows)]
}

/// Values are 0 or more.
fn amounts(rows: &[Row]) -> Vec<ArrayRef> {
    let amounts = rows.iter().map(|row| row.2.map(|it| f64::from(it.abs())));
    vec![Arc::new(amounts.collect::<Float64Array>())]
}

fn days(rows: &[Row]) -> Vec<ArrayRef> {
    let days = rows.iter().map(|row| row.2);
    vec![Arc::new(days.collect::<Date32Array>())]
}

/// The sums of a group's weights by value, where both are there.
fn sums(rows: &[Row], group: usize, weight: impl Fn(&Row) -> Option<i64>) -> BTreeMap<u8, i64> {
    let mut sums = BTreeMap::new();
    for row in rows.iter().filter(|row| row.0 == group && row.3) {
        if let (Some(value), Some(weight)) = (row.1, weight(row)) {
            *sums.entry(value).or_default() += weight;
        }
    }
    sums
}

/// The value with the largest sum; the map hands out the smallest first.
fn most(sums: &BTreeMap<u8, i64>) -> Option<u8> {
    let largest = sums.values().max()?;
    sums.iter().find(|(_, sum)| *sum == largest).map(|it| *it.0)
}

fn shown(array: &ArrayRef, row: usize) -> Option<u8> {
    let texts = array.as_string_view();
    let last = |text: &str| text.chars().last().unwrap() as u8 - b'0';
    texts.is_valid(row).then(|| last(texts.value(row)))
}

fn groups_of(rows: &[Row]) -> BTreeSet<usize> {
    rows.iter().map(|row| row.0).chain([0, 5000]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn favourites_have_the_largest_sum(rows in rows(), cut in 0..GROUPS) {
        let cents = in_pieces("favourite", with_cents, &rows, cut);
        let doubles = in_pieces("favourite", with_doubles, &rows, cut);
        let counts = in_pieces("favourite", without_weights, &rows, cut);
        prop_assert_eq!(cents.len(), GROUPS);
        for group in groups_of(&rows) {
            let weighed = most(&sums(&rows, group, |row| row.2.map(i64::from)));
            prop_assert_eq!(shown(&cents, group), weighed);
            prop_assert_eq!(shown(&counts, group), most(&sums(&rows, group, |_| Some(1))));
            for (columns, array) in [(with_cents as Columns, &cents), (with_doubles, &doubles)] {
                let alone = one_by_one("favourite", columns, &rows, group);
                prop_assert_eq!(alone, ScalarValue::try_from_array(array, group).unwrap());
            }
        }
    }

    #[test]
    fn shares_are_of_the_positive_sums(rows in rows(), cut in 0..GROUPS) {
        let found = in_pieces("affinity", with_cents, &rows, cut);
        for group in groups_of(&rows) {
            let mut sums = sums(&rows, group, |row| row.2.map(i64::from));
            sums.retain(|_, sum| *sum > 0);
            let total: i64 = sums.values().sum();
            let mut expected: Vec<(u8, i64)> = sums.into_iter().collect();
            expected.sort_by_key(|(value, sum)| (-sum, *value));
            prop_assert_eq!(found.is_null(group), expected.is_empty());
            if !expected.is_empty() {
                let list = found.as_list::<i32>().value(group);
                let shares = list.as_struct().column(1).as_primitive::<Float64Type>().values();
                let values = list.as_struct().column(0);
                let seen = (0..list.len()).map(|at| (shown(values, at).unwrap(), shares[at]));
                let expected = expected.iter().map(|it| (it.0, it.1 as f64 / total as f64));
                prop_assert_eq!(seen.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            }
            let alone = one_by_one("affinity", with_cents, &rows, group);
            prop_assert_eq!(alone, ScalarValue::try_from_array(&found, group).unwrap());
        }
    }

    #[test]
    fn gini_is_the_mean_difference(rows in rows(), cut in 0..GROUPS) {
        let found = in_pieces("gini", amounts, &rows, cut);
        for group in groups_of(&rows) {
            let own = rows.iter().filter(|row| row.0 == group && row.3);
            let own: Vec<i32> = own.filter_map(|row| row.2.map(i32::abs)).collect();
            let pairs = own.iter().flat_map(|a| own.iter().map(move |b| a.abs_diff(*b)));
            let differences: u32 = pairs.sum();
            let total: i32 = own.iter().sum();
            let twice = f64::from(2 * total) * own.len() as f64;
            let expected = (total > 0).then(|| f64::from(differences) / twice);
            let seen = found.as_primitive::<Float64Type>();
            let seen = seen.is_valid(group).then(|| seen.value(group));
            prop_assert_eq!(seen.is_some(), expected.is_some());
            prop_assert!((seen.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-15);
            let alone = one_by_one("gini", amounts, &rows, group);
            prop_assert_eq!(alone, ScalarValue::Float64(seen));
        }
    }

    #[test]
    fn rhythms_are_of_different_days(rows in rows(), cut in 0..GROUPS) {
        let found = in_pieces("purchase_rhythm", days, &rows, cut);
        for group in groups_of(&rows) {
            let own = rows.iter().filter(|row| row.0 == group && row.3);
            let own: BTreeSet<i32> = own.filter_map(|row| row.2).collect();
            let own: Vec<i32> = own.into_iter().collect();
            prop_assert_eq!(found.is_null(group), own.is_empty());
            let parts = found.as_struct();
            let purchases = parts.column(2).as_primitive::<Int64Type>();
            let medians = parts.column(0).as_primitive::<Float64Type>();
            if !own.is_empty() {
                prop_assert_eq!(purchases.value(group), own.len() as i64);
                let mut gaps: Vec<i32> = own.windows(2).map(|two| two[1] - two[0]).collect();
                gaps.sort_unstable();
                // The two in the middle, which are one of an odd number.
                let middle = || (gaps[(gaps.len() - 1) / 2] + gaps[gaps.len() / 2]) as f64 / 2.0;
                let median = (!gaps.is_empty()).then(middle);
                prop_assert_eq!(medians.is_valid(group).then(|| medians.value(group)), median);
            }
            let alone = one_by_one("purchase_rhythm", days, &rows, group);
            prop_assert_eq!(alone, ScalarValue::try_from_array(&found, group).unwrap());
        }
    }
}
