use arrow::datatypes::i256;
use proptest::prelude::*;

use super::*;

fn sum(values: &[f64]) -> f64 {
    let mut sum = ReproducibleSum::default();
    sum.extend(values);
    sum.value().unwrap_or(0.0)
}

/// In order, one by one, each a sum of its own that is merged.
fn one_by_one(values: &[f64]) -> f64 {
    let mut all = ReproducibleSum::default();
    for value in values {
        let mut one = ReproducibleSum::default();
        add(&mut one.height, &mut one.levels, *value);
        all.merge(one);
    }
    all.value().unwrap_or(0.0)
}

/// Another way: whole numbers of 2^-100, written as decimal text and read as a double.
fn exact(values: &[f64]) -> f64 {
    let units = values.iter().fold(i256::ZERO, |sum, value| {
        let units = value * power_of_two(100);
        let (mantissa, shift) = match units.abs() < power_of_two(120) {
            true => (units, 0),
            false => (units * power_of_two(-60), 60),
        };
        assert_eq!(
            mantissa,
            mantissa.trunc(),
            "{value} is in the range of this test"
        );
        let whole = i256::from_i128(mantissa as i128);
        sum + (whole << shift)
    });
    units.to_string().parse::<f64>().unwrap() * power_of_two(-100)
}

#[test]
fn sums_that_python_knows() {
    // math.fsum of Python, which is exact.
    let tenths = [0.1; 10];
    for (values, expected) in [
        (&tenths[..], 1.0),
        (&[1e16, 1.0, -1e16], 1.0),
        (&[1e16, 1.0, 1e-6], 10000000000000002.0),
        (&[19.99, 0.01, -20.0], -1.5629858518551032e-15),
        (&[0.1, 0.2, 0.3], 0.6),
        (&[5e-324, 5e-324, 5e-324], 1.5e-323),
        (&[2.2250738585072014e-308, -5e-324], 2.225073858507201e-308),
        (&[f64::MAX, f64::MAX, -f64::MAX], f64::MAX),
        (&[f64::MAX, -f64::MAX, 1.0], 0.0),
        (&[-0.0, -0.0], 0.0),
    ] {
        assert_eq!(sum(values).to_bits(), expected.to_bits(), "{values:?}");
        assert_eq!(
            one_by_one(values).to_bits(),
            expected.to_bits(),
            "{values:?}"
        );
    }
    assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
    assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
}

#[test]
fn no_value_is_no_sum() {
    assert_eq!(ReproducibleSum::default().value(), None);
    let mut empty = ReproducibleSum::default();
    empty.merge(ReproducibleSum::default());
    assert_eq!(empty.value(), None);
}

#[test]
fn infinities_and_nan() {
    let (up, down, nan) = (f64::INFINITY, f64::NEG_INFINITY, f64::NAN);
    let way = [sum as fn(&[f64]) -> f64, one_by_one];
    for sum in way {
        assert_eq!(sum(&[1.0, up, 2.0, up]), up);
        assert_eq!(sum(&[down, 1e300, down]), down);
        for values in [
            [up, down],
            [down, up],
            [nan, up],
            [up, nan],
            [nan, 1.0],
            [1.0, nan],
        ] {
            assert!(sum(&values).is_nan(), "{values:?}");
            assert!(sum(&[values[0], values[1], up, down, 3.0]).is_nan());
        }
    }
    let long: Vec<f64> = (0..1000)
        .map(|i| if i == 777 { down } else { 1e10 })
        .collect();
    assert_eq!(sum(&long), down);
}

#[test]
fn the_error_stays_within_its_bound() {
    // What lies more than 78 bits below the largest may go, and nothing else.
    assert_eq!(sum(&[power_of_two(60), 1.0, -power_of_two(60)]), 1.0);
    assert_eq!(sum(&[power_of_two(120), 1.0, -power_of_two(120)]), 0.0);
    let values: Vec<f64> = (0..10_000).map(|i| 1e-9 * f64::from(i) + 1e12).collect();
    assert_eq!(sum(&values), exact(&values));
}

/// From 2^-40 to 2^60, so that [`exact`] can hold it.
fn middling() -> impl Strategy<Value = f64> {
    (any::<i32>(), -9i32..30)
        .prop_map(|(mantissa, exponent)| f64::from(mantissa) * power_of_two(exponent))
}

fn any_finite() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(|bits| {
        let value = f64::from_bits(bits);
        if value.is_finite() { value } else { 1.0 }
    })
}

proptest! {
    #[test]
    fn orders_and_groupings_do_not_matter(
        values in prop::collection::vec(prop_oneof![any_finite(), middling()], 1..700),
        cut in any::<prop::sample::Index>(),
        turn in any::<prop::sample::Index>(),
    ) {
        let expected = sum(&values).to_bits();
        let mut other = values.clone();
        other.rotate_left(turn.index(values.len()));
        other.reverse();
        prop_assert_eq!(sum(&other).to_bits(), expected);
        prop_assert_eq!(one_by_one(&other).to_bits(), expected);
        let (left, right) = other.split_at(cut.index(values.len()));
        let mut parts = [ReproducibleSum::default(); 2];
        parts[0].extend(right);
        parts[1].extend(left);
        parts[0].merge(parts[1]);
        prop_assert_eq!(parts[0].value().map(f64::to_bits), Some(expected));
    }

    #[test]
    fn money_is_exact(cents in prop::collection::vec(-100_000_000i32..100_000_000, 1..600)) {
        let values: Vec<f64> = cents.iter().map(|cents| f64::from(*cents) / 100.0).collect();
        prop_assert_eq!(sum(&values).to_bits(), exact(&values).to_bits());
    }

    #[test]
    fn numbers_of_like_size_are_exact(values in prop::collection::vec(middling(), 1..600)) {
        prop_assert_eq!(sum(&values).to_bits(), exact(&values).to_bits());
    }
}
