//! Second moments without cancellation: n · Σxy - Σx · Σy in whole numbers.
//!
//! The textbook formula is as good as its arithmetic: in doubles it loses all digits where the
//! mean is large beside the spread. Here the product of two doubles is taken apart into two
//! doubles that are it exactly (Dekker, A Floating-Point Technique for Extending the Available
//! Precision, 1971), both are summed along the grid of [`super::reproducible_sum`], and the
//! difference is one of long integers.
//!
//! The sums drop what lies 78 bits below their largest term. For a variance that is no loss: the
//! values whose squares are cut differ from the largest by a factor of 2^12, and then the spread
//! is as large as the values; the squares of all others are summed exactly.

use super::reproducible_sum::ReproducibleSum;
use super::superaccumulator::{Superaccumulator, WIDTH, leading, signed};

mod scaled;
#[cfg(test)]
mod tests;

pub(crate) use scaled::{Scaled, correlation, determination};

/// Digits of a sum of doubles, and of what is carried out of the highest.
const SUM_DIGITS: usize = 86;
/// Digits of a product of two such sums, and of its carry.
const DIGITS: usize = 2 * SUM_DIGITS;
/// The unit of products is the square of that of sums, 2^-1074; what has the unit of sums is
/// moved up by that many bits.
const UNIT: u32 = 1074;

/// The product, rounded, and what is missing: together it exactly, but for results below 2^-968.
/// Nothing is missing where the product is no finite number.
#[inline]
pub(crate) fn product(x: f64, y: f64) -> (f64, f64) {
    let high = x * y;
    let low = x.mul_add(y, -high);
    (high, if high.is_finite() { low } else { 0.0 })
}

/// A finite sum: the lowest digit in units of 2^(26 · level - 1074).
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridSum<'a> {
    level: usize,
    digits: &'a [i64],
}

/// A sum along the grid.
pub(crate) trait Grid {
    /// `None` if it is infinite or no number.
    fn on_grid(&self) -> Option<GridSum<'_>>;
    /// As a double; 0 without values.
    fn double(&self) -> f64;
}

impl Grid for ReproducibleSum {
    fn on_grid(&self) -> Option<GridSum<'_>> {
        let level = self.lowest_level()?;
        let digits = &self.levels;
        Some(GridSum { level, digits })
    }

    fn double(&self) -> f64 {
        self.value().unwrap_or(0.0)
    }
}

impl Grid for Superaccumulator {
    fn on_grid(&self) -> Option<GridSum<'_>> {
        let digits = self.digits()?;
        Some(GridSum { level: 0, digits })
    }

    fn double(&self) -> f64 {
        self.value()
    }
}

/// count · (the sum of the products) - Σx · Σy. The sum of the products is given in two parts.
pub(crate) fn second_moment(
    count: u64,
    products: [GridSum<'_>; 2],
    x: GridSum<'_>,
    y: GridSum<'_>,
) -> Scaled {
    let mut total = Total::default();
    for part in products {
        total.add_times(part, count);
    }
    total.subtract_product(&Magnitude::of(x), &Magnitude::of(y));
    total.rounded()
}

/// A long integer in units of 2^-2148, with room for carries in each digit.
struct Total {
    digits: [i128; DIGITS],
    /// The digits in use.
    low: usize,
    high: usize,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            digits: [0; DIGITS],
            low: DIGITS,
            high: 0,
        }
    }
}

impl Total {
    fn add_times(&mut self, sum: GridSum<'_>, count: u64) {
        let first = sum.level + (UNIT / WIDTH) as usize;
        for (place, digit) in (first..).zip(sum.digits).filter(|(_, digit)| **digit != 0) {
            let times = i128::from(count).wrapping_mul(i128::from(*digit));
            self.digits[place] = self.digits[place].wrapping_add(times << (UNIT % WIDTH));
            self.low = self.low.min(place);
            self.high = self.high.max(place + 1);
        }
    }

    fn subtract_product(&mut self, x: &Magnitude, y: &Magnitude) {
        if x.digits().is_empty() || y.digits().is_empty() {
            return;
        }
        let sign = if x.negative == y.negative { -1 } else { 1 };
        let first = x.level + y.level + x.low + y.low;
        for (i, left) in x.digits().iter().enumerate() {
            for (j, right) in y.digits().iter().enumerate() {
                let product = u64::from(*left) * u64::from(*right);
                self.digits[first + i + j] += sign * i128::from(product);
            }
        }
        let end = first + x.digits().len() + y.digits().len() - 1;
        self.low = self.low.min(first);
        self.high = self.high.max(end);
    }

    fn rounded(&self) -> Scaled {
        let used = self.digits.get(self.low..self.high).unwrap_or_default();
        let (negative, number, dropped) = leading(used, &mut [0; DIGITS][..used.len()]);
        let digits = (self.low + dropped) as i32;
        let exponent = digits * WIDTH as i32 - 2 * UNIT as i32;
        Scaled::new(negative, number, exponent)
    }
}

/// A sum as sign and digits from 0 to 2^26 - 1.
struct Magnitude {
    negative: bool,
    level: usize,
    plain: [u32; SUM_DIGITS],
    /// The digits that are not 0 at either end.
    low: usize,
    high: usize,
}

impl Magnitude {
    fn of(sum: GridSum<'_>) -> Self {
        let mut plain = [0; SUM_DIGITS];
        let count = sum.digits.len();
        let (negative, mut carry) = signed(sum.digits, &mut plain[..count]);
        for digit in &mut plain[count..] {
            *digit = carry as u32 & ((1 << WIDTH) - 1);
            carry >>= WIDTH;
        }
        let used = |digit: &u32| *digit != 0;
        Self {
            negative,
            level: sum.level,
            low: plain.iter().position(used).unwrap_or(0),
            high: plain.iter().rposition(used).map_or(0, |last| last + 1),
            plain,
        }
    }

    fn digits(&self) -> &[u32] {
        &self.plain[self.low..self.high]
    }
}
