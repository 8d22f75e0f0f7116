//! Groups as DataFusion drives them: split, skipped, filtered, emitted in parts.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion_expr::function::AccumulatorArgs;

use super::*;

fn with_args<T>(input: &DataType, output: &DataType, make: impl Fn(AccumulatorArgs<'_>) -> T) -> T {
    let schema = Schema::empty();
    let field = |data_type: &DataType| Arc::new(Field::new("f", data_type.clone(), true));
    make(AccumulatorArgs {
        return_field: field(output),
        schema: &schema,
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "test",
        is_distinct: false,
        exprs: &[],
        expr_fields: &[field(input)],
    })
}

fn groups(input: &DataType, output: &DataType, asked: Asked) -> Box<dyn GroupsAccumulator> {
    with_args(input, output, |args| {
        let made = groups_accumulator(&args, asked).expect("made");
        made.expect("such a type is summed by groups")
    })
}

fn columns() -> Vec<(ArrayRef, DataType)> {
    let doubles = Float64Array::from(vec![Some(0.1), Some(1e16), None, Some(0.2), Some(3.0)]);
    let whole = Int64Array::from(vec![Some(1), Some(i64::MAX), None, Some(2), Some(3)]);
    let narrow = Decimal128Array::from(vec![Some(10), Some(99), None, Some(20), Some(30)]);
    let wide = narrow
        .clone()
        .with_precision_and_scale(38, 2)
        .expect("digits that fit");
    let narrow = narrow
        .with_precision_and_scale(5, 2)
        .expect("digits that fit");
    vec![
        (Arc::new(doubles), DataType::Float64),
        (Arc::new(whole), DataType::Int64),
        (Arc::new(narrow), DataType::Decimal128(15, 2)),
        (Arc::new(wide), DataType::Decimal128(38, 2)),
    ]
}

/// Of groups 0, 1 and 2: rows 0 and 3; row 1; row 2, which is NULL. Row 4 is filtered out.
const GROUPS: [usize; 5] = [0, 1, 2, 0, 1];

fn filter() -> BooleanArray {
    BooleanArray::from(vec![Some(true), Some(true), Some(true), Some(true), None])
}

#[test]
fn every_way_through_gives_the_same() {
    for (values, output) in columns() {
        for asked in [Asked::Sum, Asked::Mean] {
            let output = match (asked, &output) {
                (Asked::Mean, DataType::Int64) => DataType::Float64,
                _ => output.clone(),
            };
            let new = || groups(values.data_type(), &output, asked);
            let mut direct = new();
            direct
                .update_batch(std::slice::from_ref(&values), &GROUPS, Some(&filter()), 3)
                .expect("taken");
            let direct = direct.evaluate(EmitTo::All).expect("a value a group");
            assert_eq!(direct.data_type(), &output);
            assert!(direct.is_valid(0) && direct.is_valid(1) && direct.is_null(2));

            // Each row a state, as where partial aggregation is skipped.
            let states = new()
                .convert_to_state(std::slice::from_ref(&values), Some(&filter()))
                .expect("taken");
            let mut merged = new();
            merged.merge_batch(&states, &GROUPS, 3).expect("taken");
            assert_eq!(
                &merged.evaluate(EmitTo::All).expect("a value a group"),
                &direct
            );

            // States handed on in two parts, then merged with states of nothing.
            let mut first = new();
            first
                .update_batch(std::slice::from_ref(&values), &GROUPS, Some(&filter()), 3)
                .expect("taken");
            let head = first.state(EmitTo::First(1)).expect("taken");
            let tail = first.state(EmitTo::All).expect("taken");
            let mut last = new();
            last.merge_batch(&tail, &[1, 2], 3).expect("taken");
            last.merge_batch(&head, &[0], 3).expect("taken");
            assert!(last.size() > 0);
            let part = last.evaluate(EmitTo::First(2)).expect("taken");
            assert_eq!(&part, &direct.slice(0, 2));
            assert_eq!(
                last.evaluate(EmitTo::All)
                    .expect("a value a group")
                    .null_count(),
                1
            );
        }
    }
}

#[test]
fn promised_states_are_kept() {
    for (values, output) in columns() {
        for asked in [Asked::Sum, Asked::Mean] {
            let field = Arc::new(Field::new("f", values.data_type().clone(), true));
            let fields = state_fields(
                &StateFieldsArgs {
                    name: "test",
                    input_fields: &[field],
                    return_field: Arc::new(Field::new("r", output.clone(), true)),
                    ordering_fields: &[],
                    is_distinct: false,
                },
                asked,
            )
            .expect("taken");
            let promised: Vec<&DataType> = fields.iter().map(|field| field.data_type()).collect();
            let states = groups(values.data_type(), &output, asked)
                .convert_to_state(std::slice::from_ref(&values), None)
                .expect("taken");
            let kept: Vec<&DataType> = states.iter().map(|state| state.data_type()).collect();
            assert_eq!(kept, promised);
            let mut one = with_args(values.data_type(), &output, |args| {
                accumulator(&args, asked).expect("taken")
            });
            let of_nothing = one.state().expect("taken");
            one.update_batch(std::slice::from_ref(&values))
                .expect("taken");
            for states in [of_nothing, one.state().expect("taken")] {
                let kept: Vec<DataType> = states.iter().map(ScalarValue::data_type).collect();
                assert_eq!(kept.iter().collect::<Vec<_>>(), promised);
                let arrays: Vec<ArrayRef> = states
                    .iter()
                    .map(|state| state.to_array().expect("taken"))
                    .collect();
                one.merge_batch(&arrays).expect("taken");
            }
        }
    }
}

#[test]
fn many_rows_without_null_and_with() {
    // Tenths in two groups, 1000 of each, in blocks and past their ends.
    let tenths = Float64Array::from(vec![0.1; 2000]);
    let every_other: Vec<usize> = (0..2000).map(|row| row % 2).collect();
    let mut sums = groups(&DataType::Float64, &DataType::Float64, Asked::Sum);
    sums.update_batch(&[Arc::new(tenths)], &every_other, None, 2)
        .expect("taken");
    let sums = sums.evaluate(EmitTo::All).expect("a value a group");
    assert_eq!(sums.as_primitive::<Float64Type>().values(), &[100.0, 100.0]);
    let with_nulls = Float64Array::from_iter((0..3000).map(|row| (row % 3 < 2).then_some(0.1)));
    let mut one = with_args(&DataType::Float64, &DataType::Float64, |args| {
        accumulator(&args, Asked::Sum).expect("taken")
    });
    one.update_batch(&[Arc::new(with_nulls)]).expect("taken");
    assert_eq!(
        one.evaluate().expect("taken"),
        ScalarValue::Float64(Some(200.0))
    );
}
