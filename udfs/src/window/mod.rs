//! Window functions: one a file, each listed here and nowhere else.

use std::sync::Arc;

use datafusion_expr::WindowUDF;

macro_rules! window_functions {
    ($($module:ident :: $Function:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every window function.
        pub fn all_window() -> Vec<Arc<WindowUDF>> {
            vec![$(Arc::new(WindowUDF::from($module::$Function::default()))),+]
        }
    };
}

window_functions! {
    rfm_score::RfmScore,
}

pub(crate) use rfm_score::{bins_of, measures};
