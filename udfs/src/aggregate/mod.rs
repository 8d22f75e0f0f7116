//! Aggregate functions: one a file, each listed here and nowhere else.

use std::sync::Arc;

use datafusion_expr::AggregateUDF;

mod avg;
mod collected;
mod count;
mod distinct;
mod exact;
mod moments;
mod occurrences;
mod sum;

macro_rules! aggregate_functions {
    ($($module:ident :: $Function:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every aggregate function.
        pub fn all_aggregate() -> Vec<Arc<AggregateUDF>> {
            vec![$(Arc::new(AggregateUDF::from($module::$Function::default()))),+]
        }
    };
}

aggregate_functions! {
    quantile_cuts::QuantileCuts,
    rfm_cuts::RfmCuts,
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
