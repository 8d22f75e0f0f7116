//! Scalar functions: one a file, each listed here and nowhere else.

use std::sync::Arc;

use datafusion_expr::ScalarUDF;

use crate::clock::{Clock, ClockSource};

macro_rules! scalar_functions {
    (
        clock: $($timed:ident :: $Timed:ident),+;
        plain: $($module:ident :: $Function:ident),+ $(,)?
    ) => {
        $(mod $timed;)+
        $(mod $module;)+

        /// The functions that know the time, taking it from `source`.
        fn timed(source: &ClockSource) -> Vec<Arc<ScalarUDF>> {
            vec![$(Arc::new(ScalarUDF::from($timed::$Timed::new(source.clone())))),+]
        }

        fn plain() -> Vec<Arc<ScalarUDF>> {
            vec![$(Arc::new(ScalarUDF::from($module::$Function::default()))),+]
        }
    };
}

scalar_functions! {
    clock:
        as_of::AsOf,
        as_of_ts::AsOfTs,
        days_since::DaysSince,
        hours_since::HoursSince;
    plain:
        bin_of::BinOf,
        bucket::Bucket,
        hashed_contact::HashedContact,
        holdout::Holdout,
        is_email::IsEmail,
        normalize_email::NormalizeEmail,
        normalize_phone::NormalizePhone,
        rfm_score_with::RfmScoreWith,
        segment_of::SegmentOf,
        width_cuts::WidthCuts,
}

/// Every scalar function, those that know the time taking it from the session (see
/// [`SegqlConfig`](crate::SegqlConfig)).
pub fn all_scalar() -> Vec<Arc<ScalarUDF>> {
    [timed(&ClockSource::Session), plain()].concat()
}

/// `as_of`, `as_of_ts`, `days_since` and `hours_since` bound to one clock.
///
/// The optimiser puts the clock in as typed literals: an optimised plan holds only calls of
/// functions without state, so that it can be sent by name to where none of this is bound.
pub fn scalar_functions_at(clock: &Clock) -> Vec<Arc<ScalarUDF>> {
    timed(&ClockSource::Bound(clock.clone()))
}
