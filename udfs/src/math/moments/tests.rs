use arrow::datatypes::i256;
use proptest::prelude::*;

use super::*;
use crate::math::superaccumulator::power_of_two;

fn sum(values: impl Iterator<Item = f64>) -> ReproducibleSum {
    let mut sum = ReproducibleSum::default();
    sum.extend(&values.collect::<Vec<_>>());
    sum
}

fn moment(rows: &[(f64, f64)]) -> Scaled {
    let products: Vec<_> = rows.iter().map(|(x, y)| product(*x, *y)).collect();
    let parts = [
        sum(products.iter().map(|product| product.0)),
        sum(products.iter().map(|product| product.1)),
    ];
    let parts = [parts[0].on_grid().unwrap(), parts[1].on_grid().unwrap()];
    let (x, y) = (
        sum(rows.iter().map(|row| row.0)),
        sum(rows.iter().map(|row| row.1)),
    );
    let count = rows.len() as u64;
    second_moment(count, parts, x.on_grid().unwrap(), y.on_grid().unwrap())
}

/// The moment of whole numbers, in 256 bits.
fn exact(rows: &[(i64, i64)]) -> f64 {
    let mut sums = [i256::ZERO; 3];
    for (x, y) in rows {
        let (x, y) = (i256::from(*x), i256::from(*y));
        sums = [sums[0] + x * y, sums[1] + x, sums[2] + y];
    }
    let moment = sums[0] * i256::from(rows.len() as i64) - sums[1] * sums[2];
    moment.to_string().parse().unwrap()
}

fn doubles(rows: &[(i64, i64)], unit: f64) -> Vec<(f64, f64)> {
    let row = |(x, y): &(i64, i64)| (*x as f64 * unit, *y as f64 * unit);
    rows.iter().map(row).collect()
}

fn assert_near(seen: f64, expected: f64) {
    let error = (seen - expected).abs();
    assert!(
        error <= expected.abs() * f64::EPSILON,
        "{seen:e} is not {expected:e}"
    );
}

#[test]
fn a_large_mean_does_not_hurt() {
    // Fractions of Python, of the same doubles, rounded at the end.
    let values = |mean: f64, step: f64| (0..1000).map(move |i| mean + f64::from(i % 7) * step);
    for (mean, step, expected) in [
        (1e9, 1e-3, 3.99498995454222e-06),
        (1e15, 0.125, 0.062421734375),
        (-1e9, 1e-6, 4.000356682354322e-12),
        (0.0, 1e-3, 3.994991e-06),
        (1e12, 1e-3, 4.017826780676842e-06),
    ] {
        let rows: Vec<_> = values(mean, step).map(|value| (value, value)).collect();
        assert_near(moment(&rows).per(1_000_000), expected);
    }
}

#[test]
fn the_far_ends_of_doubles() {
    let pair = |x: f64| [(x, x), (3.0 * x, 3.0 * x)];
    // Of x and 3x, n · Σx² - (Σx)² is 4x².
    for power in [-500, -300, 0, 300, 500] {
        let x = power_of_two(power);
        let expected = power_of_two(power) * power_of_two(power) * 4.0;
        assert_eq!(moment(&pair(x)).per(1), expected);
    }
    // Beyond doubles on the way, but not at the end.
    let large = moment(&[
        (1e154, 1e154),
        (1e154, -1e154),
        (-1e154, 1e154),
        (-1e154, -1e154),
    ]);
    assert_eq!(large.per(1), 0.0);
    let large = moment(&[(1e154, 1e154); 1000]);
    assert_eq!(large.per(1), 0.0);
    // Too large a product is no number, and nothing is missing from it.
    assert_eq!(product(1e200, -1e200), (f64::NEG_INFINITY, 0.0));
    assert!(product(f64::NAN, 1.0).0.is_nan());
    assert_eq!(
        product(1e305, 1e-5),
        (1e300, (1e305_f64).mul_add(1e-5, -1e300))
    );
}

#[test]
fn nothing_at_all() {
    let empty = ReproducibleSum::default();
    let none = empty.on_grid().unwrap();
    assert_eq!(second_moment(0, [none, none], none, none).per(1), 0.0);
}

#[test]
fn straight_lines_correlate_exactly() {
    for slope in [3, -7, 1000] {
        let rows: Vec<(i64, i64)> = (0..50).map(|x| (x * x, slope * x * x + 11)).collect();
        let with = |pick: fn(&(i64, i64)) -> (i64, i64)| {
            moment(&doubles(&rows.iter().map(pick).collect::<Vec<_>>(), 1.0))
        };
        let (xy, xx, yy) = (
            with(|row| *row),
            with(|row| (row.0, row.0)),
            with(|row| (row.1, row.1)),
        );
        let expected = if slope > 0 { 1.0 } else { -1.0 };
        assert_eq!(correlation(xy, xx, yy), expected);
        assert_eq!(determination(xy, xx, yy), 1.0);
        assert_eq!(xy.over(xx), slope as f64);
    }
}

/// Whole numbers of many sizes, around 0 and around a large mean.
fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>().prop_flat_map(|value| (0u32..60).prop_map(move |by| (value >> 11) >> by)),
        (0i64..1000).prop_map(|value| (1 << 52) + value),
    ]
}

proptest! {
    #[test]
    fn products_are_exact(x in whole(), y in whole()) {
        let (high, low) = product(x as f64, y as f64);
        prop_assert_eq!(high as i128 + low as i128, i128::from(x) * i128::from(y));
    }

    #[test]
    fn agrees_with_long_integers(
        rows in prop::collection::vec((whole(), whole()), 1..200),
        power in -200i32..200,
    ) {
        let unit = power_of_two(power);
        let back = power_of_two(-power);
        let seen = moment(&doubles(&rows, unit)).per(1) * back * back;
        // Terms cut off at 2^-78 of the largest product weigh as much as the spread allows.
        let root = |pick: fn(&(i64, i64)) -> i64| {
            let rows: Vec<_> = rows.iter().map(|row| (pick(row), pick(row))).collect();
            exact(&rows).sqrt()
        };
        let expected = exact(&rows);
        let room = expected.abs() * f64::EPSILON
            + root(|row| row.0) * root(|row| row.1) * 1e-12;
        prop_assert!((seen - expected).abs() <= room, "{} {}", seen, expected);
    }

    #[test]
    fn variances_agree_with_long_integers(values in prop::collection::vec(whole(), 2..200)) {
        let rows: Vec<_> = values.iter().map(|value| (*value, *value)).collect();
        assert_near(moment(&doubles(&rows, 1.0)).per(1), exact(&rows));
    }
}
