//! The same values, whichever way they come: the same bits.

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{Float64Type, Schema};
use datafusion_expr::EmitTo;
use proptest::prelude::*;

use super::*;

type Row = (Option<f64>, Option<f64>);

fn with_args<T>(distinct: bool, make: impl Fn(AccumulatorArgs<'_>) -> T) -> T {
    let schema = Schema::empty();
    let field = Arc::new(Field::new("f", DataType::Float64, true));
    make(AccumulatorArgs {
        return_field: Arc::clone(&field),
        schema: &schema,
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "test",
        is_distinct: distinct,
        exprs: &[],
        expr_fields: &[field],
    })
}

fn single(function: &AggregateUDF, distinct: bool) -> Box<dyn Accumulator> {
    with_args(distinct, |args| function.accumulator(args).unwrap())
}

fn groups(function: &AggregateUDF) -> Box<dyn GroupsAccumulator> {
    with_args(false, |args| {
        function.create_groups_accumulator(args).unwrap()
    })
}

fn takes_two(function: &AggregateUDF) -> bool {
    !function.name().starts_with("var") && !function.name().starts_with("stddev")
}

fn arrays(function: &AggregateUDF, rows: &[Row]) -> Vec<ArrayRef> {
    let a: Float64Array = rows.iter().map(|row| row.0).collect();
    let b: Float64Array = rows.iter().map(|row| row.1).collect();
    match takes_two(function) {
        true => vec![Arc::new(a), Arc::new(b)],
        false => vec![Arc::new(a)],
    }
}

/// Bits, so that -0 and 0 differ; one NaN is as good as another.
fn bits(value: &ScalarValue) -> Option<u64> {
    match value {
        ScalarValue::Float64(value) => {
            value.map(|value| if value.is_nan() { f64::NAN } else { value }.to_bits())
        }
        ScalarValue::UInt64(count) => *count,
        other => panic!("{other} is no result"),
    }
}

fn of(function: &AggregateUDF, rows: &[Row]) -> Option<u64> {
    let mut all = single(function, false);
    all.update_batch(&arrays(function, rows)).unwrap();
    bits(&all.evaluate().unwrap())
}

fn named(name: &str) -> Arc<AggregateUDF> {
    let mut all = functions().into_iter();
    all.find(|function| function.name() == name).unwrap()
}

fn value(name: &str, rows: &[Row]) -> Option<f64> {
    of(&named(name), rows).map(f64::from_bits)
}

fn pairs(rows: &[(f64, f64)]) -> Vec<Row> {
    rows.iter().map(|(a, b)| (Some(*a), Some(*b))).collect()
}

/// In parts that hand on their states.
fn in_parts(function: &AggregateUDF, rows: &[Row], cut: usize) -> Option<u64> {
    let mut all = single(function, false);
    for part in [&rows[cut..], &[], &rows[..cut]] {
        let mut one = single(function, false);
        one.update_batch(&arrays(function, part)).unwrap();
        let state = one.state().unwrap();
        let state: Vec<ArrayRef> = state.iter().map(|s| s.to_array().unwrap()).collect();
        all.merge_batch(&state).unwrap();
    }
    bits(&all.evaluate().unwrap())
}

/// As the second of two groups: half as rows, half as states of single rows, handed on.
fn in_groups(function: &AggregateUDF, rows: &[Row], cut: usize) -> Option<u64> {
    let (head, tail) = rows.split_at(cut);
    // A row that is filtered out goes to the first group.
    let mut with_other = head.to_vec();
    with_other.push((Some(1e300), Some(-1e300)));
    let mut group = vec![1; head.len()];
    group.push(0);
    let filter: BooleanArray = (0..=head.len()).map(|row| Some(row < head.len())).collect();
    let mut first = groups(function);
    let values = arrays(function, &with_other);
    first
        .update_batch(&values, &group, Some(&filter), 2)
        .unwrap();
    let nothing = first.state(EmitTo::First(1)).unwrap();
    let states = first.state(EmitTo::All).unwrap();
    let mut last = groups(function);
    let values = arrays(function, tail);
    let each = last.convert_to_state(&values, None).unwrap();
    last.merge_batch(&each, &vec![1; tail.len()], 2).unwrap();
    last.merge_batch(&states, &[1], 2).unwrap();
    last.merge_batch(&nothing, &[0], 2).unwrap();
    let other = last.evaluate(EmitTo::First(1)).unwrap();
    let count = function.name() == "regr_count";
    assert_eq!(other.is_null(0), !count, "{}", function.name());
    let this = last.evaluate(EmitTo::All).unwrap();
    bits(&ScalarValue::try_from_array(&this, 0).unwrap())
}

/// As a frame that other rows have entered and left.
fn in_frame(function: &AggregateUDF, rows: &[Row]) -> Option<u64> {
    let mut frame = with_args(false, |args| {
        function.create_sliding_accumulator(args).unwrap()
    });
    let others = arrays(
        function,
        &pairs(&[(1e150, -3.0), (f64::INFINITY, f64::NAN)]),
    );
    frame.update_batch(&others).unwrap();
    frame.update_batch(&arrays(function, rows)).unwrap();
    frame.retract_batch(&others).unwrap();
    bits(&frame.evaluate().unwrap())
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (-1e6..1e6).prop_map(Some),
        4 => (0.0..1e-3).prop_map(|x: f64| Some(1e9 + x)),
        1 => Just(None),
    ]
}

fn anything() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => any::<u64>().prop_map(|bits| Some(f64::from_bits(bits))),
        8 => number(),
        1 => Just(Some(-0.0)),
    ]
}

proptest! {
    #[test]
    fn orders_and_splits_do_not_matter(
        rows in prop_oneof![
            prop::collection::vec((number(), number()), 0..300),
            prop::collection::vec((anything(), anything()), 0..20),
        ],
        turn in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(rows.len() + 1);
        let mut turned = rows.clone();
        turned.rotate_left(turn.index(rows.len() + 1).min(rows.len()));
        turned.reverse();
        for function in functions() {
            let expected = of(&function, &rows);
            prop_assert_eq!(of(&function, &turned), expected, "{}", function.name());
            prop_assert_eq!(in_parts(&function, &turned, cut), expected, "{}", function.name());
            prop_assert_eq!(in_groups(&function, &turned, cut), expected, "{}", function.name());
        }
    }

    #[test]
    fn frames_agree(
        rows in prop::collection::vec((number(), number()), 0..50),
    ) {
        for function in functions() {
            let seen = in_frame(&function, &rows).map(f64::from_bits);
            let expected = of(&function, &rows).map(f64::from_bits);
            let near = match (seen, expected) {
                (Some(seen), Some(expected)) => (seen - expected).abs() <= expected.abs() * 1e-12,
                _ => seen == expected,
            };
            prop_assert!(near, "{} {:?} {:?}", function.name(), seen, expected);
        }
    }
}

#[test]
fn too_few_rows_and_nothing_that_varies() {
    let one = pairs(&[(2.0, 3.0)]);
    let level = pairs(&[(2.0, 3.0), (2.0, 4.0)]);
    let upright = pairs(&[(2.0, 3.0), (5.0, 3.0)]);
    for (name, of_one, of_level, of_upright) in [
        ("var", None, Some(0.0), Some(4.5)),
        ("var_pop", Some(0.0), Some(0.0), Some(2.25)),
        ("stddev_pop", Some(0.0), Some(0.0), Some(1.5)),
        ("covar_samp", None, Some(0.0), Some(0.0)),
        ("covar_pop", Some(0.0), Some(0.0), Some(0.0)),
        ("corr", None, None, None),
        ("regr_slope", None, Some(0.0), None),
        ("regr_intercept", None, Some(2.0), None),
        ("regr_r2", None, None, None),
        ("regr_avgx", Some(3.0), Some(3.5), Some(3.0)),
        ("regr_avgy", Some(2.0), Some(2.0), Some(3.5)),
        ("regr_sxx", Some(0.0), Some(0.5), Some(0.0)),
        ("regr_syy", Some(0.0), Some(0.0), Some(4.5)),
        ("regr_sxy", Some(0.0), Some(0.0), Some(0.0)),
    ] {
        assert_eq!(value(name, &[]), None, "{name}");
        assert_eq!(value(name, &[(None, Some(1.0))]), None, "{name}");
        assert_eq!(value(name, &one), of_one, "{name}");
        assert_eq!(value(name, &level), of_level, "{name}");
        assert_eq!(value(name, &upright), of_upright, "{name}");
    }
    // Squares that are nothing as doubles.
    let tiny = pairs(&[(1e-170, 1e-160), (3e-170, 1e-160), (2e-170, 1e-160)]);
    assert_eq!(value("corr", &tiny), None);
    assert_eq!(value("var_pop", &pairs(&[(1e-160, 0.0); 3])), Some(0.0));
}

#[test]
fn values_that_are_no_numbers() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let corr = |rows: &[(f64, f64)]| value("corr", &pairs(rows)).map(f64::is_nan);
    assert_eq!(corr(&[(nan, nan)]), Some(true));
    assert_eq!(corr(&[(1.0, nan), (2.0, 1.0)]), None);
    assert_eq!(corr(&[(1.0, inf), (2.0, 1.0)]), Some(true));
    assert_eq!(corr(&[(1e200, 1.0), (2e200, 2.0)]), Some(true));
    for name in ["var", "var_pop", "stddev", "stddev_pop"] {
        for odd in [nan, inf, -inf, 1e200] {
            let seen = value(name, &pairs(&[(odd, 0.0), (1.0, 0.0)]));
            assert!(seen.unwrap().is_nan(), "{name} {odd}");
        }
    }
}

#[test]
fn distinct_values() {
    let rows: Vec<Row> = [1.0, 1.0, 4.0, -0.0, 0.0, 4.0]
        .map(|x| (Some(x), None))
        .into();
    // Of 0, 1 and 4: the mean is 5/3, the squares of deviations add to 26/3.
    for (name, expected) in [("var", 13.0 / 3.0), ("var_pop", 26.0 / 9.0)] {
        let function = named(name);
        let mut part = single(&function, true);
        part.update_batch(&arrays(&function, &rows)).unwrap();
        let state = part.state().unwrap();
        let state: Vec<ArrayRef> = state.iter().map(|it| it.to_array().unwrap()).collect();
        let mut all = single(&function, true);
        all.merge_batch(&state).unwrap();
        all.merge_batch(&state).unwrap();
        let seen = all.evaluate().unwrap();
        assert_eq!(seen, ScalarValue::Float64(Some(expected)), "{name}");
        let twos = arrays(&function, &[(Some(2.0), None), (Some(4.0), None)]);
        part.update_batch(&twos).unwrap();
        part.retract_batch(&twos).unwrap();
        assert_eq!(part.evaluate().unwrap(), seen, "{name}");
        assert!(part.size() > 0);
    }
    let error = with_args(true, |args| named("corr").accumulator(args).unwrap_err());
    assert!(
        error.to_string().contains("corr does not take DISTINCT"),
        "{error}"
    );
}

#[test]
fn promised_states_are_kept() {
    for function in functions() {
        for distinct in [false, true] {
            if distinct && takes_two(&function) {
                continue;
            }
            let field = Arc::new(Field::new("f", DataType::Float64, true));
            let promised = function
                .state_fields(StateFieldsArgs {
                    name: "test",
                    input_fields: &[Arc::clone(&field)],
                    return_field: field,
                    ordering_fields: &[],
                    is_distinct: distinct,
                })
                .unwrap();
            let promised: Vec<_> = promised.iter().map(|field| field.data_type()).collect();
            let state = single(&function, distinct).state().unwrap();
            let kept: Vec<_> = state.iter().map(ScalarValue::data_type).collect();
            assert_eq!(kept.iter().collect::<Vec<_>>(), promised);
            if !distinct {
                let state = groups(&function).state(EmitTo::All).unwrap();
                let kept: Vec<_> = state.iter().map(|state| state.data_type()).collect();
                assert_eq!(kept, promised);
            }
        }
    }
}

#[test]
fn a_straight_line() {
    // y = 2.5 - 0.5 x.
    let rows: Vec<(f64, f64)> = (0..1000)
        .map(|x| (2.5 - 0.5 * f64::from(x), f64::from(x)))
        .collect();
    for (name, expected) in [
        ("regr_slope", -0.5),
        ("regr_intercept", 2.5),
        ("corr", -1.0),
        ("regr_r2", 1.0),
    ] {
        assert_eq!(value(name, &pairs(&rows)), Some(expected), "{name}");
    }
    let count = of(&named("regr_count"), &pairs(&rows));
    assert_eq!(count, Some(1000));
    let mut sums = groups(&named("var_pop"));
    let values = arrays(&named("var_pop"), &pairs(&rows));
    sums.update_batch(&values, &[0; 1000], None, 1).unwrap();
    let variance = sums.evaluate(EmitTo::All).unwrap();
    // Of 0 to n - 1 it is (n² - 1) / 12; here a quarter of that.
    assert_eq!(
        variance.as_primitive::<Float64Type>().values(),
        &[999_999.0 / 48.0]
    );
}
