//! Moments as numbers of 100 bits and any size, and what is divided of them.

use super::product;
use crate::math::superaccumulator::power_of_two;

/// The sum of two doubles, of which the second is a rounding error of the first.
#[derive(Debug, Clone, Copy)]
struct Twofold {
    high: f64,
    low: f64,
}

impl Twofold {
    fn times(self, other: Self) -> Self {
        let (high, error) = product(self.high, other.high);
        let low = self
            .high
            .mul_add(other.low, self.low.mul_add(other.high, error));
        Self { high, low }
    }

    fn over(self, other: Self) -> Self {
        let high = self.high / other.high;
        let rest = (-high).mul_add(other.high, self.high);
        let low = (-high).mul_add(other.low, rest + self.low) / other.high;
        Self { high, low }
    }

    fn root(self) -> f64 {
        let root = self.high.sqrt();
        let rest = (-root).mul_add(root, self.high) + self.low;
        if root > 0.0 {
            root + rest / (2.0 * root)
        } else {
            0.0
        }
    }

    fn rounded(self) -> f64 {
        self.high + self.low
    }
}

/// A number that may lie beyond the range of doubles: mantissa · 2^exponent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaled {
    mantissa: Twofold,
    exponent: i32,
}

impl Scaled {
    /// Of a magnitude below 2^127.
    pub(super) fn new(negative: bool, magnitude: u128, exponent: i32) -> Self {
        let high = magnitude as f64;
        let low = (magnitude as i128 - high as i128) as f64;
        let sign = if negative { -1.0 } else { 1.0 };
        Self {
            mantissa: Twofold {
                high: sign * high,
                low: sign * low,
            },
            exponent,
        }
    }

    /// What cannot be negative is not made so by what sums have dropped.
    pub(crate) fn at_least_zero(self) -> Self {
        match self.mantissa.high < 0.0 {
            true => Self::new(false, 0, self.exponent),
            false => self,
        }
    }

    /// Divided by a whole number, which is not 0.
    pub(crate) fn per(self, divisor: u128) -> f64 {
        let divisor = Self::new(false, divisor, 0);
        self.over(divisor)
    }

    pub(crate) fn over(self, other: Self) -> f64 {
        let ratio = self.mantissa.over(other.mantissa);
        scaled(ratio.rounded(), self.exponent - other.exponent)
    }
}

/// The square of the correlation, xy² / (xx · yy).
pub(crate) fn determination(xy: Scaled, xx: Scaled, yy: Scaled) -> f64 {
    let (ratio, exponent) = ratio(xy, xx, yy);
    scaled(ratio.rounded(), exponent).min(1.0)
}

/// The correlation, xy / √(xx · yy).
pub(crate) fn correlation(xy: Scaled, xx: Scaled, yy: Scaled) -> f64 {
    let (ratio, exponent) = ratio(xy, xx, yy);
    // An odd power of 2 has no exact root.
    let odd = exponent & 1;
    let even = Twofold {
        high: ratio.high * power_of_two(odd),
        low: ratio.low * power_of_two(odd),
    };
    scaled(even.root(), (exponent - odd) / 2)
        .min(1.0)
        .copysign(xy.mantissa.high)
}

fn ratio(xy: Scaled, xx: Scaled, yy: Scaled) -> (Twofold, i32) {
    // Mantissas are below 2^127, so that the products are doubles.
    let above = xy.mantissa.times(xy.mantissa);
    let below = xx.mantissa.times(yy.mantissa);
    (
        above.over(below),
        2 * xy.exponent - xx.exponent - yy.exponent,
    )
}

/// number · 2^exponent, in steps that doubles can go.
fn scaled(mut number: f64, mut exponent: i32) -> f64 {
    const STEP: i32 = 1000;
    while exponent.abs() > STEP && number != 0.0 && number.is_finite() {
        let step = exponent.clamp(-STEP, STEP);
        number *= power_of_two(step);
        exponent -= step;
    }
    number * power_of_two(exponent.clamp(-STEP, STEP))
}
