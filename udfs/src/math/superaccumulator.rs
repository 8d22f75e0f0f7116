//! The exact sum of doubles that come and go, rounded once when it is asked for.
//!
//! Every double is a whole number of 2^-1074. The sum of such numbers is kept in base 2^26 over
//! the whole range of doubles, with room for carries in each digit (Neal, Fast Exact Summation
//! Using Small and Large Superaccumulators, 2015), so that taking a value out leaves exactly what
//! was there before it came.

/// Bits of a digit.
pub(crate) const WIDTH: u32 = 26;
const DIGITS: usize = 82;
const DIGIT: i128 = (1 << WIDTH) - 1;
const MANTISSA_BITS: u32 = 52;

/// An exact sum.
#[derive(Debug, Clone)]
pub(crate) struct Superaccumulator {
    digits: Box<[i64; DIGITS]>,
    infinite: i64,
    minus_infinite: i64,
    not_a_number: i64,
}

impl Default for Superaccumulator {
    fn default() -> Self {
        Self {
            digits: Box::new([0; DIGITS]),
            infinite: 0,
            minus_infinite: 0,
            not_a_number: 0,
        }
    }
}

impl Superaccumulator {
    /// Bytes on the heap.
    pub(crate) const HEAP: usize = size_of::<[i64; DIGITS]>();

    /// Adds a value.
    pub(crate) fn add(&mut self, value: f64) {
        self.count(value, 1);
    }

    /// Takes out a value that was added before.
    pub(crate) fn remove(&mut self, value: f64) {
        self.count(value, -1);
    }

    fn count(&mut self, value: f64, times: i64) {
        if value.is_finite() {
            self.place(value, times);
        } else if value.is_nan() {
            self.not_a_number += times;
        } else if value > 0.0 {
            self.infinite += times;
        } else {
            self.minus_infinite += times;
        }
    }

    fn place(&mut self, value: f64, times: i64) {
        let bits = value.to_bits();
        let exponent = (bits >> MANTISSA_BITS) as u32 & 0x7ff;
        let fraction = bits & ((1 << MANTISSA_BITS) - 1);
        // Subnormal numbers have no hidden bit and the exponent of the smallest normal ones.
        let (mantissa, shift) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | 1 << MANTISSA_BITS, exponent - 1),
        };
        let sign = if value.is_sign_negative() {
            -times
        } else {
            times
        };
        let mut rest = u128::from(mantissa) << (shift % WIDTH);
        let first = (shift / WIDTH) as usize;
        for digit in &mut self.digits[first..first + 4] {
            *digit += sign * (rest as i128 & DIGIT) as i64;
            rest >>= WIDTH;
        }
    }

    /// The digits in whole numbers of the units of the grid; `None` if it is no number.
    pub(crate) fn digits(&self) -> Option<&[i64]> {
        let finite = self.infinite == 0 && self.minus_infinite == 0 && self.not_a_number == 0;
        finite.then_some(&self.digits[..])
    }

    /// The sum as a double.
    pub(crate) fn value(&self) -> f64 {
        match (self.infinite > 0, self.minus_infinite > 0) {
            _ if self.not_a_number > 0 => f64::NAN,
            (true, true) => f64::NAN,
            (true, false) => f64::INFINITY,
            (false, true) => f64::NEG_INFINITY,
            (false, false) => rounded(&self.digits, 0),
        }
    }
}

/// The number that digits of any sign and size stand for, the lowest first, the lowest in units of
/// 2^(26 · level - 1074), rounded to the nearest double, half to even.
pub(crate) fn rounded<const N: usize>(digits: &[i64; N], level: usize) -> f64 {
    let (negative, number, dropped) = leading(digits, &mut [0; N]);
    // Exact but for too large numbers: a result below 2^-1021 has no more bits than fit.
    let magnitude = number as f64 * power_of_two(((level + dropped) as i32) * WIDTH as i32 - 1074);
    if negative { -magnitude } else { magnitude }
}

/// The number that digits of any sign and size stand for, the lowest first: whether it is
/// negative, its 100 leading bits at least and fewer than 127, and how many digits follow them.
/// The lowest bit is set if these are not 0, so that rounding to fewer bits comes out right. As
/// many `plain` digits are needed to work in.
pub(crate) fn leading<D: Copy + Into<i128>>(
    digits: &[D],
    plain: &mut [u32],
) -> (bool, u128, usize) {
    let (negative, carry) = signed(digits, plain);
    let mut number = carry;
    let mut dropped = 0;
    let mut inexact = false;
    for digit in plain.iter().rev() {
        // With 100 bits in hand, what follows only tells whether half is exactly half.
        if number >> 100 == 0 {
            number = number << WIDTH | u128::from(*digit);
        } else {
            dropped += 1;
            inexact |= *digit != 0;
        }
    }
    (negative, number | u128::from(inexact), dropped)
}

/// As [`rounded`] of four digits, which are seldom too large for one integer.
pub(crate) fn rounded_four(digits: &[i64; 4], level: usize) -> f64 {
    const ROOM: u64 = 1 << (126 - 3 * WIDTH);
    if digits.iter().any(|digit| digit.unsigned_abs() >= ROOM) {
        return rounded(digits, level);
    }
    let add = |number: i128, digit: &i64| (number << WIDTH) + i128::from(*digit);
    let number = digits.iter().rev().fold(0, add);
    number as f64 * power_of_two(level as i32 * WIDTH as i32 - 1074)
}

/// Is the number negative, and what its magnitude carries out of the highest of its plain digits?
pub(crate) fn signed<D: Copy + Into<i128>>(digits: &[D], plain: &mut [u32]) -> (bool, u128) {
    let carry = normal(digits, plain, 1);
    match carry < 0 {
        true => (true, normal(digits, plain, -1) as u128),
        false => (false, carry as u128),
    }
}

/// Makes digits from 0 to 2^26 - 1, and returns what is carried out of the highest.
fn normal<D: Copy + Into<i128>>(digits: &[D], plain: &mut [u32], sign: i128) -> i128 {
    let mut carry = 0_i128;
    for (plain, digit) in plain.iter_mut().zip(digits) {
        let total = sign * (*digit).into() + carry;
        *plain = (total & DIGIT) as u32;
        carry = total >> WIDTH;
    }
    carry
}

/// 2^exponent, which is no smaller than the smallest double; infinite where there is none.
pub(crate) const fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        ..-1022 => f64::from_bits(1 << (exponent + 1074)),
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << MANTISSA_BITS),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::reproducible_sum::ReproducibleSum;

    fn sum(values: &[f64]) -> Superaccumulator {
        let mut sum = Superaccumulator::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    #[test]
    fn exact_over_the_whole_range() {
        // math.fsum of Python, which is exact.
        for (values, expected) in [
            (&[1e300, 1.0, -1e300][..], 1.0),
            (&[1e300, 5e-324, -1e300], 5e-324),
            (&[f64::MAX, f64::MAX, -f64::MAX], f64::MAX),
            (&[1.0, f64::EPSILON / 2.0], 1.0),
            (&[1.0, f64::EPSILON / 2.0, 5e-324], 1.0 + f64::EPSILON),
            (&[-1.0, -f64::EPSILON / 2.0, -5e-324], -1.0 - f64::EPSILON),
            (&[-0.0], 0.0),
            (&[], 0.0),
        ] {
            assert_eq!(
                sum(values).value().to_bits(),
                expected.to_bits(),
                "{values:?}"
            );
        }
        assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
    }

    #[test]
    fn what_leaves_leaves_no_trace() {
        let mut sum = sum(&[f64::NAN, 1e300, 0.1, f64::INFINITY]);
        assert!(sum.value().is_nan());
        sum.remove(f64::NAN);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.remove(f64::INFINITY);
        sum.remove(1e300);
        assert_eq!(sum.value(), 0.1);
        sum.remove(0.1);
        assert_eq!(sum.value().to_bits(), 0);
    }

    proptest! {
        #[test]
        fn agrees_with_the_sum_that_only_grows(
            values in prop::collection::vec(-1e9..1e9, 1..300),
        ) {
            let mut grown = ReproducibleSum::default();
            grown.extend(&values);
            prop_assert_eq!(Some(sum(&values).value()), grown.value());
        }
    }
}
