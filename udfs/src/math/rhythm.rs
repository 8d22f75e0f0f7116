//! The rhythm in which somebody buys: gaps between the days with a purchase.

/// A rhythm. Where there is no gap, on a single day, nothing but the number of days is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rhythm {
    /// The middle gap; of an even number the mean of the two in the middle.
    pub(crate) median_gap_days: Option<f64>,
    /// The population standard deviation of the gaps by their mean.
    pub(crate) cv: Option<f64>,
    /// Days with a purchase.
    pub(crate) purchases: i64,
}

/// The rhythm of different days in ascending order.
pub(crate) fn rhythm(days: &[i64]) -> Option<Rhythm> {
    let (first, last) = (days.first()?, days.last()?);
    let mut gaps: Vec<u64> = days.windows(2).map(|two| two[1].abs_diff(two[0])).collect();
    gaps.sort_unstable();
    Some(Rhythm {
        median_gap_days: median(&gaps),
        cv: (!gaps.is_empty()).then(|| variation(&gaps, last.abs_diff(*first))),
        purchases: days.len() as i64,
    })
}

fn median(sorted: &[u64]) -> Option<f64> {
    let above = *sorted.get(sorted.len() / 2)?;
    let below = sorted[(sorted.len() - 1) / 2];
    Some((below + above) as f64 / 2.0)
}

/// √(n·Σg² − (Σg)²) / Σg: whole numbers up to the root.
fn variation(gaps: &[u64], total: u64) -> f64 {
    let squares: u128 = gaps.iter().map(|gap| u128::from(*gap).pow(2)).sum();
    let spread = gaps.len() as u128 * squares - u128::from(total).pow(2);
    (spread as f64).sqrt() / total as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_days() {
        // 10, 20 and 30 days: a mean of 20, squares of deviations 200 of 3.
        let found = rhythm(&[0, 30, 40, 60]).unwrap();
        assert_eq!(found.median_gap_days, Some(20.0));
        assert_eq!(found.cv, Some((200.0_f64 / 3.0).sqrt() / 20.0));
        assert_eq!(found.purchases, 4);
        // 7 and 8 days.
        let two = rhythm(&[-7, 0, 8]).unwrap();
        assert_eq!(two.median_gap_days, Some(7.5));
        assert_eq!(two.cv, Some(0.5 / 7.5));
    }

    #[test]
    fn too_few_days() {
        assert_eq!(rhythm(&[]), None);
        let one = rhythm(&[5]).unwrap();
        assert_eq!(
            (one.median_gap_days, one.cv, one.purchases),
            (None, None, 1)
        );
        let two = rhythm(&[5, 12]).unwrap();
        assert_eq!((two.median_gap_days, two.cv), (Some(7.0), Some(0.0)));
    }
}
