//! Exact quantile cut points: type 7 of Hyndman & Fan, "Sample Quantiles in Statistical Packages"
//! (The American Statistician 50, 1996); the default of NumPy, R and DuckDB's `quantile_cont`.

/// The `bins - 1` quantiles at `i / bins` of `values`, in ascending order; `None` without values.
///
/// `values` is reordered and must hold no NaN. Takes time proportional to `n log bins`.
pub(crate) fn cut_points(values: &mut [f64], bins: usize) -> Option<Vec<f64>> {
    let last = values.len().checked_sub(1)?;
    let ranks = Rank::all(last, bins);
    place(values, 0, &Rank::positions_of(&ranks));
    let cut = |rank: &Rank| rank.value(|position| values[position]);
    Some(ranks.iter().map(cut).collect())
}

/// Where a quantile lies among the sorted values: at `below`, and `share` of the way to the next.
#[derive(Debug, Clone)]
pub(super) struct Rank {
    below: usize,
    share: f64,
}

impl Rank {
    /// The ranks of the `bins - 1` quantiles, where `last` is the position of the greatest value.
    pub(super) fn all(last: usize, bins: usize) -> Vec<Self> {
        (1..bins).map(|i| Self::of(last, i, bins)).collect()
    }

    /// Every position that a value is read from, ascending, each once.
    pub(super) fn positions_of(ranks: &[Self]) -> Vec<usize> {
        let mut positions: Vec<usize> = ranks.iter().flat_map(Self::positions).collect();
        // With fewer values than bins, ranks share positions: 0, 1, 0, 1.
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// Rank `last * i / bins`, split in whole numbers: in floats `last * (i / bins)` misses
    /// integers for 10, 11, 12, 14 and 15 bins. 128 bits because the product may not fit 64.
    fn of(last: usize, i: usize, bins: usize) -> Self {
        let product = last as u128 * i as u128;
        let bins = bins as u128;
        Self {
            below: usize::try_from(product / bins).expect("i < bins, so the rank is below last"),
            share: (product % bins) as f64 / bins as f64,
        }
    }

    fn positions(&self) -> impl Iterator<Item = usize> {
        let above = (self.share > 0.0).then_some(self.below + 1);
        std::iter::once(self.below).chain(above)
    }

    /// The quantile, from the value `at` each of its positions.
    pub(super) fn value(&self, at: impl Fn(usize) -> f64) -> f64 {
        let low = at(self.below);
        if self.share == 0.0 {
            return low;
        }
        interpolate(low, at(self.below + 1), self.share)
    }
}

/// `low + share * (high - low)`: the form that hits equal whole values exactly, where
/// `low * (1 - share) + high * share` misses them by an ulp and moves right-closed bins.
fn interpolate(low: f64, high: f64, share: f64) -> f64 {
    if low == high {
        return low;
    }
    let width = high - low;
    if width.is_finite() {
        // Rounding may step past `high`, and the next cut would then be below this one.
        return (low + share * width).min(high);
    }
    if low.is_infinite() && high.is_infinite() {
        return if share < 0.5 { low } else { high };
    }
    (low * (1.0 - share) + high * share).clamp(low, high)
}

/// Puts at each of the ascending `positions` (counted from `offset`) the value that sorting
/// would put there: select the middle one, then each half apart.
fn place(values: &mut [f64], offset: usize, positions: &[usize]) {
    if positions.is_empty() {
        return;
    }
    let middle = positions.len() / 2;
    let at = positions[middle] - offset;
    let (left, _, right) = values.select_nth_unstable_by(at, f64::total_cmp);
    place(left, offset, &positions[..middle]);
    place(right, offset + at + 1, &positions[middle + 1..]);
}

#[cfg(test)]
mod tests {
    use super::cut_points;
    use proptest::prelude::*;

    fn cuts(values: &[f64], bins: usize) -> Option<Vec<f64>> {
        cut_points(&mut values.to_vec(), bins)
    }

    #[test]
    fn published_values() {
        // numpy.quantile([1, 2, 3, 4], [.25, .5, .75]) and R quantile(1:10, c(.2, .4, .6, .8)).
        assert_eq!(cuts(&[4.0, 1.0, 3.0, 2.0], 4), Some(vec![1.75, 2.5, 3.25]));
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(cuts(&ten, 5), Some(vec![2.8, 4.6, 6.4, 8.2]));
        // numpy.median([1e9, 7]) and R quantile(c(1, 1, 1, 9), c(1/3, 2/3)).
        assert_eq!(cuts(&[1e9, 7.0], 2), Some(vec![500_000_003.5]));
        assert_eq!(cuts(&[1.0, 1.0, 1.0, 9.0], 3), Some(vec![1.0, 1.0]));
    }

    #[test]
    fn no_value_one_value_equal_values() {
        assert_eq!(cuts(&[], 5), None);
        assert_eq!(cuts(&[-3.5], 5), Some(vec![-3.5; 4]));
        assert_eq!(cuts(&[0.1; 7], 10), Some(vec![0.1; 9]));
    }

    #[test]
    fn whole_ranks_hit_values_exactly() {
        for bins in 2..=40 {
            let values: Vec<f64> = (0..=bins * 7).map(|i| i as f64 * 0.1).collect();
            let expected: Vec<f64> = (1..bins).map(|i| values[i * 7]).collect();
            assert_eq!(cuts(&values, bins), Some(expected), "{bins} bins");
        }
    }

    #[test]
    fn huge_and_infinite_values_stay_in_order() {
        assert_eq!(cuts(&[f64::MIN, f64::MAX], 2), Some(vec![0.0]));
        let quarters = cuts(&[f64::MIN, f64::MAX], 4).unwrap();
        assert!(quarters.is_sorted() && quarters.iter().all(|cut| cut.is_finite()));
        assert_eq!(
            cuts(&[f64::NEG_INFINITY, 0.0], 2),
            Some(vec![f64::NEG_INFINITY])
        );
        let both = cuts(&[f64::NEG_INFINITY, f64::INFINITY], 4).unwrap();
        assert!(both.iter().all(|cut| !cut.is_nan()) && both.is_sorted());
    }

    proptest! {
        /// Independent formulation: a cut c at p is where the piecewise linear curve through the
        /// points (i/(n-1), sorted[i]) has height at p, found by walking the segments.
        #[test]
        fn agrees_with_walking_the_curve(
            values in prop::collection::vec(-1e6..1e6f64, 1..60),
            bins in 2usize..30,
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let got = cuts(&values, bins).unwrap();
            for (i, cut) in got.iter().enumerate() {
                let p = (i + 1) as f64 / bins as f64;
                let mut expected = sorted[0];
                for (j, pair) in sorted.windows(2).enumerate() {
                    let step = 1.0 / (sorted.len() - 1) as f64;
                    let from = j as f64 * step;
                    if p >= from {
                        expected = pair[0] + (pair[1] - pair[0]) * ((p - from) / step).min(1.0);
                    }
                }
                prop_assert!((cut - expected).abs() <= 1e-6, "{cut} {expected}");
            }
            prop_assert!(got.is_sorted());
        }

        #[test]
        fn order_of_rows_does_not_matter(
            values in prop::collection::vec(-5i32..5, 1..80), bins in 2usize..12, by in 0usize..80,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut turned = values.clone();
            turned.rotate_left(by % values.len());
            prop_assert_eq!(cuts(&values, bins), cuts(&turned, bins));
        }
    }
}
