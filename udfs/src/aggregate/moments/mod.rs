//! Variance, deviation, covariance, correlation and regression that depend on the values alone.
//!
//! DataFusion's functions keep means and update them row by row, so that the last digits follow
//! the order of the rows. These keep the sums that [`terms`] lists, each independent of order;
//! what a [`Statistic`] is follows from them at the end ([`crate::math::moments`]). Names, types
//! and documentation are those of DataFusion's functions.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    Signature,
};
use datafusion_functions_aggregate::{correlation, covariance, regr, stddev, variance};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;

mod distinct;
mod groups;
mod single;
mod statistic;
mod terms;
#[cfg(test)]
mod tests;

use distinct::Distinct;
use groups::Groups;
use single::{Frame, Single};
use statistic::Statistic;
use terms::{ONE_COLUMN, PRODUCT, TWO_COLUMNS, state_type};

use super::distinct::groups_accumulator_over;
use super::occurrences::plain_of;

/// Every function of moments.
pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [
        (Statistic::VarSamp, variance::var_samp_udaf()),
        (Statistic::VarPop, variance::var_pop_udaf()),
        (Statistic::StddevSamp, stddev::stddev_udaf()),
        (Statistic::StddevPop, stddev::stddev_pop_udaf()),
        (Statistic::CovarSamp, covariance::covar_samp_udaf()),
        (Statistic::CovarPop, covariance::covar_pop_udaf()),
        (Statistic::Corr, correlation::corr_udaf()),
        (Statistic::RegrSlope, regr::regr_slope_udaf()),
        (Statistic::RegrIntercept, regr::regr_intercept_udaf()),
        (Statistic::RegrCount, regr::regr_count_udaf()),
        (Statistic::RegrR2, regr::regr_r2_udaf()),
        (Statistic::RegrAvgX, regr::regr_avgx_udaf()),
        (Statistic::RegrAvgY, regr::regr_avgy_udaf()),
        (Statistic::RegrSxx, regr::regr_sxx_udaf()),
        (Statistic::RegrSyy, regr::regr_syy_udaf()),
        (Statistic::RegrSxy, regr::regr_sxy_udaf()),
    ]
    .map(|(statistic, replaced)| Arc::new(AggregateUDF::from(Moment::new(statistic, replaced))))
    .into()
}

/// A function of moments.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Moment {
    statistic: Statistic,
    /// DataFusion's, for its name, types and documentation.
    replaced: Arc<AggregateUDF>,
}

/// Calls `$make` for as many sums as the statistic needs.
macro_rules! by_terms {
    ($statistic:expr, $make:ident) => {
        match $statistic.terms() {
            ONE_COLUMN => Box::new($make::<ONE_COLUMN>::new($statistic)),
            PRODUCT => Box::new($make::<PRODUCT>::new($statistic)),
            _ => Box::new($make::<TWO_COLUMNS>::new($statistic)),
        }
    };
}

impl Moment {
    fn new(statistic: Statistic, replaced: Arc<AggregateUDF>) -> Self {
        Self {
            statistic,
            replaced,
        }
    }

    /// DataFusion ignores DISTINCT here, and the result would be of other rows than asked for.
    fn check_distinct(&self, is_distinct: bool) -> Result<()> {
        if is_distinct && self.statistic.columns() == 2 {
            let name = self.name();
            return plan_err!(
                "{name} does not take DISTINCT; write {name}(y, x) FROM (SELECT DISTINCT y, x …)"
            );
        }
        Ok(())
    }
}

impl AggregateUDFImpl for Moment {
    fn name(&self) -> &str {
        self.replaced.name()
    }

    fn aliases(&self) -> &[String] {
        self.replaced.aliases()
    }

    fn signature(&self) -> &Signature {
        self.replaced.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.replaced.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        self.replaced.is_nullable()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.replaced.default_value(data_type)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.check_distinct(args.is_distinct)?;
        let field = |what: &str, data_type| {
            let name = format_state_name(args.name, what);
            FieldRef::new(Field::new(name, data_type, true))
        };
        if args.is_distinct {
            return Ok(plain_of(&DataType::Float64)?.state_fields(args.name));
        }
        let sums = state_type(self.statistic.terms());
        Ok(vec![field("count", DataType::UInt64), field("sums", sums)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.check_distinct(args.is_distinct)?;
        Ok(match args.is_distinct {
            true => Box::new(Distinct::new(self.statistic)),
            false => by_terms!(self.statistic, Single),
        })
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.check_distinct(args.is_distinct)?;
        Ok(match args.is_distinct {
            true => Box::new(Distinct::new(self.statistic)),
            false => by_terms!(self.statistic, Frame),
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.check_distinct(args.is_distinct).is_ok()
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        self.check_distinct(args.is_distinct)?;
        let groups: Box<dyn GroupsAccumulator> = by_terms!(self.statistic, Groups);
        match args.is_distinct {
            true => {
                let plain = plain_of(&DataType::Float64)?;
                groups_accumulator_over(plain, DataType::Float64, groups)
            }
            false => Ok(groups),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.replaced.documentation()
    }
}
