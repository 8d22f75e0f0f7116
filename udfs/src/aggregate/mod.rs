//! Aggregate functions: one a file, each listed here and nowhere else.

use std::sync::Arc;

use datafusion_expr::AggregateUDF;

mod collected;

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
