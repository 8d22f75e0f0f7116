//! `count(DISTINCT …)` of groups against a set a group, for every type, whichever way rows and
//! states go and in whatever pieces groups are asked for.

mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use crate::testing::doubles;
use values::{VALUES, class, column, types};

/// A value by its number, up to [`VALUES`]; its group; what the filter says.
type Row = (Option<usize>, usize, Option<bool>);

fn exact(name: &str) -> Arc<AggregateUDF> {
    let mut all = crate::exact_aggregates().into_iter();
    all.find(|function| function.name() == name).unwrap()
}

fn count() -> Arc<AggregateUDF> {
    exact("count")
}

fn field(data_type: &DataType) -> FieldRef {
    Arc::new(Field::new("f", data_type.clone(), true))
}

fn with_args<T>(types: &[DataType], make: impl Fn(AccumulatorArgs<'_>) -> T) -> T {
    let fields: Vec<FieldRef> = types.iter().map(field).collect();
    make(AccumulatorArgs {
        return_field: field(&DataType::Int64),
        schema: &Schema::empty(),
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "test",
        is_distinct: true,
        exprs: &[],
        expr_fields: &fields,
    })
}

fn groups(types: &[DataType]) -> Box<dyn GroupsAccumulator> {
    with_args(types, |args| {
        assert!(count().groups_accumulator_supported(args.clone()));
        count().create_groups_accumulator(args).unwrap()
    })
}

fn alone(types: &[DataType]) -> Box<dyn Accumulator> {
    with_args(types, |args| count().accumulator(args).unwrap())
}

fn promised(types: &[DataType]) -> Vec<DataType> {
    let fields: Vec<FieldRef> = types.iter().map(field).collect();
    let fields = count().state_fields(StateFieldsArgs {
        name: "test",
        input_fields: &fields,
        return_field: field(&DataType::Int64),
        ordering_fields: &[],
        is_distinct: true,
    });
    let fields = fields.unwrap();
    fields.iter().map(|it| it.data_type().clone()).collect()
}

fn expected(data_type: &DataType, rows: &[Row], total: usize) -> Vec<i64> {
    let mut seen: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (value, group, filter) in rows {
        let value = value.and_then(|value| class(data_type, value));
        if let (Some(value), Some(true)) = (value, filter) {
            seen.entry(*group).or_default().insert(value);
        }
    }
    (0..total)
        .map(|group| seen.get(&group).map_or(0, |it| it.len() as i64))
        .collect()
}

/// The groups of the rows, which are made to be numbered in the order of their appearance.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop::option::weighted(0.9, 0..VALUES);
    let filter = prop::option::weighted(0.95, prop::bool::weighted(0.9));
    prop::collection::vec((value, 0usize..40, filter), 1..150)
}

/// Groups over several buckets.
fn spread(rows: &[Row]) -> Vec<Row> {
    let far = |(value, group, filter): &Row| (*value, group * 257, *filter);
    rows.iter().map(far).collect()
}

const TOTAL: usize = 40 * 257;

struct Batch {
    columns: Vec<ArrayRef>,
    groups: Vec<usize>,
    filter: BooleanArray,
}

fn batch(types: &[DataType], rows: &[Row]) -> Batch {
    let values: Vec<Option<usize>> = rows.iter().map(|it| it.0).collect();
    Batch {
        columns: types.iter().map(|it| column(it, &values)).collect(),
        groups: rows.iter().map(|it| it.1).collect(),
        filter: rows.iter().map(|it| it.2).collect(),
    }
}

impl Batch {
    fn update(&self, into: &mut dyn GroupsAccumulator) {
        into.update_batch(&self.columns, &self.groups, Some(&self.filter), TOTAL)
            .unwrap();
    }
}

fn counts(array: &ArrayRef) -> Vec<i64> {
    array.as_primitive::<Int64Type>().values().to_vec()
}

/// Batches in turn: put in, turned into states, or gathered elsewhere and handed over in pieces.
fn gathered(
    types: &[DataType],
    rows: &[Row],
    size: usize,
    piece: usize,
) -> Box<dyn GroupsAccumulator> {
    let mut whole = groups(types);
    for (turn, part) in rows.chunks(size).enumerate() {
        let part = batch(types, part);
        match turn % 3 {
            0 => part.update(whole.as_mut()),
            1 => {
                let states = groups(types)
                    .convert_to_state(&part.columns, Some(&part.filter))
                    .unwrap();
                whole.merge_batch(&states, &part.groups, TOTAL).unwrap();
            }
            _ => {
                let mut partial = groups(types);
                part.update(partial.as_mut());
                part.update(partial.as_mut());
                let mut from = 0;
                while from < TOTAL {
                    let emit = match TOTAL - from > piece {
                        true => EmitTo::First(piece),
                        false => EmitTo::All,
                    };
                    let states = partial.state(emit).unwrap();
                    let kept: Vec<DataType> =
                        states.iter().map(|it| it.data_type().clone()).collect();
                    assert_eq!(kept, promised(types));
                    // Half of a piece, as slices of it.
                    let rows = states[0].len();
                    for (start, length) in [(rows / 2, rows - rows / 2), (0, rows / 2)] {
                        let states: Vec<ArrayRef> =
                            states.iter().map(|it| it.slice(start, length)).collect();
                        let own: Vec<usize> = (from + start..from + start + length).collect();
                        whole.merge_batch(&states, &own, TOTAL).unwrap();
                    }
                    from += rows;
                }
            }
        }
    }
    whole
}

fn emitted(mut from: Box<dyn GroupsAccumulator>, piece: usize) -> Vec<i64> {
    let mut got = vec![];
    while got.len() + piece < TOTAL {
        got.extend(counts(&from.evaluate(EmitTo::First(piece)).unwrap()));
    }
    got.extend(counts(&from.evaluate(EmitTo::All).unwrap()));
    got
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn groups_are_counted_as_by_sets(
        rows in rows(), size in 1usize..60, piece in 1500usize..TOTAL,
    ) {
        let rows = spread(&rows);
        for data_type in types() {
            let types = std::slice::from_ref(&data_type);
            let got = emitted(gathered(types, &rows, size, piece), piece);
            prop_assert!(got == expected(&data_type, &rows, TOTAL), "{data_type}");
        }
    }

    #[test]
    fn several_arguments_count_together(rows in rows(), size in 1usize..60) {
        let rows = spread(&rows);
        let types = [DataType::Boolean, DataType::Utf8];
        let got = emitted(gathered(&types, &rows, size, TOTAL), TOTAL);
        // The second argument alone tells values apart.
        prop_assert_eq!(got, expected(&DataType::Utf8, &rows, TOTAL));
    }

    #[test]
    fn without_groups_likewise(rows in rows(), size in 1usize..60) {
        let rows: Vec<Row> = rows.iter().map(|it| (it.0, 0, Some(true))).collect();
        for data_type in types() {
            let types = std::slice::from_ref(&data_type);
            let mut whole = alone(types);
            for part in rows.chunks(size) {
                let mut partial = alone(types);
                partial.update_batch(&batch(types, part).columns).unwrap();
                let states = partial.state().unwrap();
                let kept: Vec<DataType> = states.iter().map(ScalarValue::data_type).collect();
                prop_assert_eq!(kept, promised(types));
                let states: Vec<ArrayRef> =
                    states.iter().map(|it| it.to_array().unwrap()).collect();
                whole.merge_batch(&states).unwrap();
                whole.update_batch(&batch(types, part).columns).unwrap();
            }
            let expected = expected(&data_type, &rows, 1)[0];
            let got = whole.evaluate().unwrap();
            prop_assert!(got == ScalarValue::Int64(Some(expected)), "{data_type}: {got}");
        }
    }
}

#[test]
fn groups_go_on_after_the_first_have_left() {
    // Groups 0 to 9,999, each with its own number twice; 4,097 leave, then more come.
    let types = [DataType::Int64];
    let mut groups = groups(&types);
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    let all: Vec<usize> = (0..10_000).collect();
    for _ in 0..2 {
        groups
            .update_batch(std::slice::from_ref(&values), &all, None, 10_000)
            .unwrap();
    }
    assert_eq!(
        counts(&groups.evaluate(EmitTo::First(4_097)).unwrap()),
        vec![1; 4_097]
    );
    // What was 4,097 is 0 now: it gets its own number again, all others another.
    let rest: Vec<usize> = (0..5_903).collect();
    let shifted: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..5_903).map(|row| if row == 0 { 4_097 } else { -1 }),
    ));
    groups.update_batch(&[shifted], &rest, None, 5_903).unwrap();
    let got = counts(&groups.evaluate(EmitTo::All).unwrap());
    assert_eq!(got[0], 1);
    assert_eq!(got[1..], vec![2; 5_902]);
    // And from the beginning.
    groups
        .update_batch(&[values.slice(0, 1)], &[0], None, 1)
        .unwrap();
    assert_eq!(counts(&groups.evaluate(EmitTo::All).unwrap()), [1]);
}

#[test]
fn what_is_there_again_and_again_takes_no_more_memory() {
    for data_type in [DataType::Int64, DataType::Utf8] {
        let types = std::slice::from_ref(&data_type);
        let mut groups = groups(types);
        let ids: Vec<Option<usize>> = (0..8_192).map(|row| Some(row % VALUES)).collect();
        let values = column(&data_type, &ids);
        let own: Vec<usize> = (0..8_192).map(|row| row % 5).collect();
        let mut largest = 0;
        for _ in 0..400 {
            groups
                .update_batch(std::slice::from_ref(&values), &own, None, 5)
                .unwrap();
            largest = largest.max(groups.size());
        }
        // 3.3 million rows; 60 pairs of a group and a value. Texts are up to 28 bytes.
        assert!(largest < 8 << 20, "{largest}");
        assert!(largest > 65_536 * 10, "{largest}");
        assert_eq!(counts(&groups.evaluate(EmitTo::All).unwrap()), [12; 5]);
        assert!(groups.size() < 1024);
    }
}

#[test]
fn memory_is_what_distinct_values_take() {
    // A million numbers in 100,000 groups: 8 bytes and 2 for the group, vectors of at most twice
    // that, and the sorting of a bucket of 40,960 of them.
    let mut groups = groups(&[DataType::Int64]);
    for start in 0..100 {
        let values = Int64Array::from_iter_values(start * 10_000..(start + 1) * 10_000);
        let own: Vec<usize> = (0..10_000)
            .map(|row| (start as usize * 7 + row * 10) % 100_000)
            .collect();
        groups
            .update_batch(&[Arc::new(values)], &own, None, 100_000)
            .unwrap();
    }
    let size = groups.size();
    assert!((10_000_000..22_000_000).contains(&size), "{size}");
}

#[test]
fn sums_means_and_variances_of_distinct_values() {
    // Group 0: 2 and 4; group 1 nothing; group 5,000: 0, however it is signed; 5,001: 8.
    let values = [
        Some(2.0),
        Some(4.0),
        Some(2.0),
        None,
        Some(-0.0),
        Some(0.0),
        Some(8.0),
    ];
    let own = [0, 0, 0, 1, 5_000, 5_000, 5_001];
    let values: ArrayRef = Arc::new(Float64Array::from_iter(values));
    for (name, expected) in [
        ("sum", [Some(6.0), None, Some(0.0), Some(8.0)]),
        ("avg", [Some(3.0), None, Some(0.0), Some(8.0)]),
        ("var_pop", [Some(1.0), None, Some(0.0), Some(0.0)]),
    ] {
        let new = || {
            with_args(&[DataType::Float64], |args| {
                let mut args = args;
                args.return_field = field(&DataType::Float64);
                assert!(exact(name).groups_accumulator_supported(args.clone()));
                exact(name).create_groups_accumulator(args).unwrap()
            })
        };
        let values = std::slice::from_ref(&values);
        let (mut direct, mut merged, mut again) = (new(), new(), new());
        direct.update_batch(values, &own, None, 5_002).unwrap();
        let states = new().convert_to_state(values, None).unwrap();
        merged.merge_batch(&states, &own, 5_002).unwrap();
        let states = merged.state(EmitTo::All).unwrap();
        let all: Vec<usize> = (0..5_002).collect();
        again.merge_batch(&states, &all, 5_002).unwrap();
        again.update_batch(values, &own, None, 5_002).unwrap();
        for mut groups in [direct, again] {
            let first = groups.evaluate(EmitTo::First(4_999)).unwrap();
            let last = groups.evaluate(EmitTo::All).unwrap();
            assert_eq!((first.len(), last.len()), (4_999, 3), "{name}");
            let got = [(&first, 0), (&first, 1), (&last, 1), (&last, 2)]
                .map(|(part, row)| doubles(part)[row]);
            assert_eq!(got, expected, "{name}");
        }
    }
}
