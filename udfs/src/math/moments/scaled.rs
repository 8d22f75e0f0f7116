//! Moments as numbers that may lie beyond the range of doubles, and what is divided of them.

use crate::math::superaccumulator::power_of_two;

/// A number that may lie beyond the range of doubles: mantissa · 2^exponent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaled {
    pub(super) mantissa: f64,
    pub(super) exponent: i32,
}

impl Scaled {
    /// What cannot be negative is not made so by a rounding.
    pub(crate) fn at_least_zero(self) -> Self {
        Self {
            mantissa: self.mantissa.max(0.0),
            ..self
        }
    }

    /// Divided by a whole number.
    pub(crate) fn per(self, divisor: u128) -> f64 {
        scaled(self.mantissa / divisor as f64, self.exponent)
    }

    pub(crate) fn over(self, other: Self) -> f64 {
        let exponent = self.exponent - other.exponent;
        scaled(self.mantissa / other.mantissa, exponent)
    }
}

/// The square of the correlation, xy² / (xx · yy): exactly 1 where the moments say so, for the
/// same number is then above and below.
pub(crate) fn determination(xy: Scaled, xx: Scaled, yy: Scaled) -> f64 {
    let (ratio, exponent) = ratio(xy, xx, yy);
    scaled(ratio, exponent).min(1.0)
}

/// The correlation, xy / √(xx · yy).
pub(crate) fn correlation(xy: Scaled, xx: Scaled, yy: Scaled) -> f64 {
    let (ratio, exponent) = ratio(xy, xx, yy);
    // An odd power of 2 has no exact root.
    let odd = exponent & 1;
    let root = (ratio * power_of_two(odd)).sqrt();
    scaled(root, (exponent - odd) / 2)
        .min(1.0)
        .copysign(xy.mantissa)
}

fn ratio(xy: Scaled, xx: Scaled, yy: Scaled) -> (f64, i32) {
    // Mantissas are below 2^127.
    let ratio = (xy.mantissa * xy.mantissa) / (xx.mantissa * yy.mantissa);
    (ratio, 2 * xy.exponent - xx.exponent - yy.exponent)
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
