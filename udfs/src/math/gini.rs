//! The Gini coefficient: how unequally a sum is spread over those who share it.
//!
//! Half the mean difference of any two values by their mean, which for values sorted as
//! x₁ ≤ … ≤ xₙ is Σ (2i − n − 1)·xᵢ / (n·Σ xᵢ) (Sen, On Economic Inequality, 1973). It is the
//! coefficient of these values themselves, as `Gini` of R's package ineq has it; estimates for
//! a population that they are a sample of are n/(n − 1) times as large.

use super::reproducible_sum::ReproducibleSum;

/// Above this, values are made smaller first, so that no product overflows.
const LARGE: f64 = 1e150;
const SMALLER: f64 = 1.0 / (1_u128 << 127) as f64;

/// The coefficient of sorted values that are finite and not negative, 0 to 1 − 1/n; `None` without
/// values and where all are 0, as nothing is spread then.
///
/// Products and sums are exact up to the last roundings, so that equal values give 0 itself.
pub(crate) fn gini(sorted: &[f64]) -> Option<f64> {
    let largest = sorted.last().filter(|largest| **largest > 0.0)?;
    let scale = match *largest > LARGE {
        true => SMALLER * SMALLER * SMALLER * SMALLER,
        false => 1.0,
    };
    let count = sorted.len() as f64;
    let (mut differences, mut total) = (ReproducibleSum::default(), ReproducibleSum::default());
    for (at, value) in sorted.iter().enumerate() {
        let value = value * scale;
        let rank = 2.0 * at as f64 + 1.0 - count;
        let product = rank * value;
        // What the rounding of the product left.
        differences.extend(&[product, rank.mul_add(value, -product)]);
        total.extend(&[value]);
    }
    Some(differences.value()? / (count * total.value()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its definition: the mean difference of all pairs.
    fn by_pairs(values: &[i64]) -> f64 {
        let pairs = values
            .iter()
            .flat_map(|a| values.iter().map(move |b| a.abs_diff(*b)));
        let total: i64 = values.iter().sum();
        pairs.sum::<u64>() as f64 / (2 * values.len() as i64 * total) as f64
    }

    #[test]
    fn as_the_mean_difference_has_it() {
        for values in [
            &[1, 2, 3, 4][..],
            &[0, 0, 0, 10],
            &[5],
            &[1, 1, 1, 97],
            &[3, 3, 8, 8, 20, 1000, 1001],
        ] {
            let doubles: Vec<f64> = values.iter().map(|it| *it as f64).collect();
            assert_eq!(gini(&doubles), Some(by_pairs(values)), "{values:?}");
        }
        assert_eq!(gini(&[1.0, 2.0, 3.0, 4.0]), Some(0.25));
        assert_eq!(gini(&[0.0, 0.0, 0.0, 10.0]), Some(0.75));
    }

    #[test]
    fn equal_values_and_nothing() {
        assert_eq!(gini(&[0.1; 1001]), Some(0.0));
        assert_eq!(gini(&[]), None);
        assert_eq!(gini(&[0.0, 0.0]), None);
    }

    #[test]
    fn values_of_any_size() {
        assert_eq!(gini(&[1.0e308, 3.0e307 * 5.0]), Some(0.1));
        assert_eq!(gini(&[f64::MAX; 3]), Some(0.0));
        assert_eq!(gini(&[0.0, f64::from_bits(1)]), Some(0.5));
    }
}
