//! What is made of the sums at the end.
//!
//! With n rows and S = n · Σxy - Σx · Σy, the sum of the products of deviations from the means is
//! S / n; all else follows (SQL:2023 part 2, 10.9, has the definitions). NULL is where DataFusion
//! has it: too few rows, or nothing that varies where it is divided by. No number comes of values
//! that are none, and of products beyond the range of doubles.

use datafusion_common::ScalarValue;

use super::terms::{A, AA, AB, B, BB, ONE_COLUMN, PRODUCT, TWO_COLUMNS};
use crate::math::moments::{Grid, Scaled, correlation, determination, second_moment};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Statistic {
    VarSamp,
    VarPop,
    StddevSamp,
    StddevPop,
    CovarSamp,
    CovarPop,
    Corr,
    RegrSlope,
    RegrIntercept,
    RegrCount,
    RegrR2,
    RegrAvgX,
    RegrAvgY,
    RegrSxx,
    RegrSyy,
    RegrSxy,
}

impl Statistic {
    /// How many sums it needs.
    pub(super) fn terms(self) -> usize {
        match self {
            Self::VarSamp | Self::VarPop | Self::StddevSamp | Self::StddevPop => ONE_COLUMN,
            Self::CovarSamp | Self::CovarPop => PRODUCT,
            _ => TWO_COLUMNS,
        }
    }

    /// How many columns it is of.
    pub(super) fn columns(self) -> usize {
        if self.terms() == ONE_COLUMN { 1 } else { 2 }
    }

    pub(super) fn scalar<S: Grid>(self, count: u64, sums: &[S]) -> ScalarValue {
        match self {
            Self::RegrCount => ScalarValue::UInt64(Some(count)),
            _ => ScalarValue::Float64(self.of(count, sums)),
        }
    }

    /// The value; `None` is NULL.
    pub(super) fn of<S: Grid>(self, count: u64, sums: &[S]) -> Option<f64> {
        let sums = Sums { count, sums };
        match self {
            _ if count == 0 => None,
            Self::VarSamp => sums.per(count - 1, sums.spread(AB, A)),
            Self::VarPop => sums.per(count, sums.spread(AB, A)),
            Self::StddevSamp => sums.per(count - 1, sums.spread(AB, A)).map(f64::sqrt),
            Self::StddevPop => sums.per(count, sums.spread(AB, A)).map(f64::sqrt),
            Self::CovarSamp => sums.per(count - 1, sums.joint()),
            Self::CovarPop => sums.per(count, sums.joint()),
            Self::Corr => sums.correlation(),
            Self::RegrSlope => sums.slope(),
            Self::RegrIntercept => Some((-sums.slope()?).mul_add(sums.mean(B), sums.mean(A))),
            Self::RegrR2 => sums.determination(),
            Self::RegrAvgX => Some(sums.mean(B)),
            Self::RegrAvgY => Some(sums.mean(A)),
            Self::RegrSxx => sums.per(1, sums.spread(BB, B)),
            Self::RegrSyy => sums.per(1, sums.spread(AA, A)),
            Self::RegrSxy => sums.per(1, sums.joint()),
            Self::RegrCount => Some(count as f64),
        }
    }
}

/// Sums as [`super::terms`] has them; of regressions, the first column is y and the second x.
struct Sums<'a, S> {
    count: u64,
    sums: &'a [S],
}

impl<S: Grid> Sums<'_, S> {
    /// `None` where a sum is no finite number.
    fn moment(&self, product: usize, x: usize, y: usize) -> Option<Scaled> {
        let sum = |term: usize| self.sums[term].on_grid();
        let products = [sum(product)?, sum(product + 1)?];
        Some(second_moment(self.count, products, sum(x)?, sum(y)?))
    }

    fn spread(&self, square: usize, x: usize) -> Option<Scaled> {
        Some(self.moment(square, x, x)?.at_least_zero())
    }

    fn joint(&self) -> Option<Scaled> {
        self.moment(AB, A, B)
    }

    /// The sum of products of deviations, divided.
    fn per(&self, divisor: u64, moment: Option<Scaled>) -> Option<f64> {
        let divisor = u128::from(self.count) * u128::from(divisor);
        (divisor > 0).then(|| moment.map_or(f64::NAN, |moment| moment.per(divisor)))
    }

    fn mean(&self, x: usize) -> f64 {
        self.sums[x].double() / self.count as f64
    }

    /// Is a variance above 0 as a double? What is smaller says nothing of products that were rounded.
    fn varies(&self, spread: Scaled) -> bool {
        spread.per(u128::from(self.count).pow(2)) > 0.0
    }

    fn correlation(&self) -> Option<f64> {
        match (
            self.sums[A].double().is_nan(),
            self.sums[B].double().is_nan(),
        ) {
            (true, true) => return Some(f64::NAN),
            (false, false) => {}
            _ => return None,
        }
        self.of_both(correlation)
    }

    fn determination(&self) -> Option<f64> {
        self.of_both(determination)
    }

    fn of_both(&self, make: fn(Scaled, Scaled, Scaled) -> f64) -> Option<f64> {
        let spreads = (self.spread(AA, A), self.spread(BB, B));
        let (Some(joint), (Some(a), Some(b))) = (self.joint(), spreads) else {
            return (self.count > 1).then_some(f64::NAN);
        };
        (self.count > 1 && self.varies(a) && self.varies(b)).then(|| make(joint, a, b))
    }

    fn slope(&self) -> Option<f64> {
        let (Some(joint), Some(x)) = (self.joint(), self.spread(BB, B)) else {
            return (self.count > 1).then_some(f64::NAN);
        };
        (self.count > 1 && self.varies(x)).then(|| joint.over(x))
    }
}
