//! Recency, frequency and monetary scores from cut points: 5 is best everywhere.

use super::bins::Closed;

/// The ascending cut points of the three measures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cuts<'a> {
    pub(crate) recency: &'a [f64],
    pub(crate) frequency: &'a [f64],
    pub(crate) monetary: &'a [f64],
}

impl Cuts<'_> {
    /// The scores r, f and m of one customer; bins are closed on the right, as in pandas `qcut`.
    ///
    /// Frequency and monetary score 1 + the number of cuts strictly below them. Recency is
    /// reversed, as few days are good: bins − the number of cuts strictly below it.
    pub(crate) fn score(&self, recency: f64, frequency: f64, monetary: f64) -> [i32; 3] {
        let bins = self.recency.len() as i32 + 1;
        [
            bins + 1 - Closed::Right.bin(recency, self.recency),
            Closed::Right.bin(frequency, self.frequency),
            Closed::Right.bin(monetary, self.monetary),
        ]
    }
}

/// The three scores as one number of three digits.
pub(crate) fn combined([r, f, m]: [i32; 3]) -> i32 {
    r * 100 + f * 10 + m
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUTS: Cuts<'_> = Cuts {
        recency: &[10.0, 30.0, 60.0, 90.0],
        frequency: &[1.0, 2.0, 4.0, 9.0],
        monetary: &[50.0],
    };

    #[test]
    fn few_days_and_many_purchases_are_best() {
        assert_eq!(CUTS.score(0.0, 12.0, 51.0), [5, 5, 2]);
        assert_eq!(CUTS.score(91.0, 1.0, 50.0), [1, 1, 1]);
        assert_eq!(combined([5, 4, 2]), 542);
    }

    #[test]
    fn a_value_on_a_cut_stays_in_the_bin_that_ends_there() {
        assert_eq!(CUTS.score(10.0, 2.0, 50.0), [5, 2, 1]);
        assert_eq!(CUTS.score(90.0, 9.0, 50.0), [2, 4, 1]);
    }
}
