//! Which bin a value falls into, given ascending cut points; and cut points of equal width.

/// The side on which a bin includes its cut point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// `(a, b]`: a value equal to a cut stays below it (pandas `qcut`).
    Right,
    /// `[a, b)`: a value equal to a cut goes above it (the R package `rfm`).
    Left,
}

impl Closed {
    /// The bin, from 1, of a value that is not NaN.
    pub(crate) fn bin(self, value: f64, cuts: &[f64]) -> i32 {
        let below = match self {
            Self::Right => cuts.partition_point(|cut| *cut < value),
            Self::Left => cuts.partition_point(|cut| *cut <= value),
        };
        i32::try_from(below).map_or(i32::MAX, |below| below.saturating_add(1))
    }

    /// The bins of many values. Few cuts are all compared with each value: without a branch,
    /// and many values at once.
    pub(crate) fn bins(self, values: &[f64], cuts: &[f64]) -> Vec<i32> {
        match cuts.len() {
            0..=4 => self.compare_all::<4>(values, cuts),
            5..=8 => self.compare_all::<8>(values, cuts),
            9..=16 => self.compare_all::<16>(values, cuts),
            _ => values.iter().map(|value| self.bin(*value, cuts)).collect(),
        }
    }

    // On its own, whoever calls, the loop is compiled to vector instructions.
    #[inline(never)]
    fn compare_all<const N: usize>(self, values: &[f64], cuts: &[f64]) -> Vec<i32> {
        // No value is above NaN.
        let mut all = [f64::NAN; N];
        all[..cuts.len()].copy_from_slice(cuts);
        match self {
            Self::Right => count(values, |value| all.map(|cut| i32::from(cut < value))),
            Self::Left => count(values, |value| all.map(|cut| i32::from(cut <= value))),
        }
    }
}

fn count<const N: usize>(values: &[f64], above: impl Fn(f64) -> [i32; N]) -> Vec<i32> {
    let bin = |value: &f64| 1 + above(*value).into_iter().sum::<i32>();
    values.iter().map(bin).collect()
}

/// `bins - 1` cut points that divide `low..high` into bins of equal width.
///
/// Halves the terms where `high - low` would overflow, so that no finite input gives infinity.
pub(crate) fn equal_widths(low: f64, high: f64, bins: usize) -> Vec<f64> {
    let cut = |i: usize| {
        let share = i as f64 / bins as f64;
        let width = high - low;
        if width.is_finite() {
            // i * width before the division: whole numbers stay whole.
            let exact = i as f64 * width;
            let step = if exact.is_finite() {
                exact / bins as f64
            } else {
                share * width
            };
            (low + step).min(high)
        } else {
            low * (1.0 - share) + high * share
        }
    };
    (1..bins).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_cut_goes_to_the_named_side() {
        let cuts = [10.0, 20.0];
        let bins = |closed: Closed| [9.0, 10.0, 15.0, 20.0, 21.0].map(|x| closed.bin(x, &cuts));
        assert_eq!(bins(Closed::Right), [1, 1, 2, 2, 3]);
        assert_eq!(bins(Closed::Left), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn repeated_cuts_leave_bins_empty() {
        let cuts = [1.0, 1.0, 1.0, 2.0];
        assert_eq!(
            [1.0, 2.0, 3.0].map(|x| Closed::Right.bin(x, &cuts)),
            [1, 4, 5]
        );
        assert_eq!(
            [0.0, 1.0, 2.0].map(|x| Closed::Left.bin(x, &cuts)),
            [1, 4, 5]
        );
    }

    #[test]
    fn no_cut_is_one_bin_and_infinities_are_values() {
        assert_eq!(Closed::Right.bin(5.0, &[]), 1);
        assert_eq!(Closed::Right.bin(f64::INFINITY, &[0.0]), 2);
        assert_eq!(Closed::Right.bin(f64::NEG_INFINITY, &[0.0]), 1);
    }

    #[test]
    fn many_values_as_one_by_one() {
        let values: Vec<f64> = (-3..45).map(|at| f64::from(at) / 2.0).collect();
        let values = [&values[..], &[f64::INFINITY, f64::NEG_INFINITY, -0.0]].concat();
        for number in 0..=20 {
            // Every third cut is there twice.
            let cuts: Vec<f64> = (0..number).map(|at| f64::from(at - at / 3)).collect();
            for closed in [Closed::Right, Closed::Left] {
                let one_by_one: Vec<i32> = values.iter().map(|x| closed.bin(*x, &cuts)).collect();
                assert_eq!(closed.bins(&values, &cuts), one_by_one, "{cuts:?}");
            }
        }
    }

    #[test]
    fn widths() {
        assert_eq!(equal_widths(0.0, 100.0, 4), [25.0, 50.0, 75.0]);
        assert_eq!(equal_widths(-1.0, 1.0, 2), [0.0]);
        assert_eq!(
            equal_widths(0.0, 10.0, 10),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
        );
        assert_eq!(equal_widths(7.0, 7.0, 3), [7.0, 7.0]);
        let huge = equal_widths(f64::MIN, f64::MAX, 4);
        assert!(huge.is_sorted() && huge.iter().all(|cut| cut.is_finite()));
        let wide = equal_widths(0.0, f64::MAX, 1000);
        assert!(wide.is_sorted() && wide.iter().all(|cut| cut.is_finite()));
    }
}
