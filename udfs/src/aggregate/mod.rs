//! Aggregate functions: one a file, each listed here and nowhere else.

use std::sync::Arc;

use datafusion_expr::AggregateUDF;

use crate::clock::{Clock, ClockSource};

mod avg;
mod buckets;
mod collected;
mod count;
mod distinct;
mod exact;
mod gathered;
mod moments;
mod occurrences;
mod sum;
mod weighed;

macro_rules! aggregate_functions {
    (
        clock: $($timed:ident :: $Timed:ident),+;
        plain: $($module:ident :: $Function:ident),+ $(,)?
    ) => {
        $(mod $timed;)+
        $(mod $module;)+

        /// The functions that know the time zone, taking it from `source`.
        fn timed(source: &ClockSource) -> Vec<Arc<AggregateUDF>> {
            vec![$(Arc::new(AggregateUDF::from($timed::$Timed::new(source.clone())))),+]
        }

        fn plain() -> Vec<Arc<AggregateUDF>> {
            vec![$(Arc::new(AggregateUDF::from($module::$Function::default()))),+]
        }
    };
}

aggregate_functions! {
    clock:
        purchase_rhythm::PurchaseRhythm;
    plain:
        affinity::Affinity,
        favourite::Favourite,
        gini::Gini,
        quantile_cuts::QuantileCuts,
        rfm_cuts::RfmCuts,
}

/// Every aggregate function, those that know the time zone taking it from the session (see
/// [`SegqlConfig`](crate::SegqlConfig)).
pub fn all_aggregate() -> Vec<Arc<AggregateUDF>> {
    [timed(&ClockSource::Session), plain()].concat()
}

/// `purchase_rhythm` bound to the time zone of a clock.
pub fn aggregate_functions_at(clock: &Clock) -> Vec<Arc<AggregateUDF>> {
    timed(&ClockSource::Bound(clock.clone()))
}

pub(crate) use rfm_cuts::cuts_type;

/// Functions to put in the place of DataFusion's: `sum` and `avg`, where sums of whole numbers and
/// decimals fail rather than wrap, and those of variance, covariance, correlation and regression;
/// what they make of doubles does not depend on the order of the rows. And `count`, whose
/// `DISTINCT` keeps the values of many groups in one store, and takes several arguments.
///
/// They are not part of [`all_aggregate`], as they change what programs see already.
pub fn exact_aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut functions = vec![
        Arc::new(AggregateUDF::from(sum::Sum::default())),
        Arc::new(AggregateUDF::from(avg::Avg::default())),
        Arc::new(AggregateUDF::from(count::Count::default())),
    ];
    functions.extend(moments::functions());
    functions
}
