//! The arithmetic and the models behind the functions, on plain numbers: no Arrow arrays, no SQL.

pub(crate) mod bins;
pub(crate) mod calendar;
pub(crate) mod contact;
pub(crate) mod counting;
pub(crate) mod gini;
pub(crate) mod moments;
pub(crate) mod quantile;
pub(crate) mod reproducible_sum;
pub(crate) mod rfm;
pub(crate) mod rhythm;
pub mod scheme;
mod scheme_rules;
pub(crate) mod split;
pub(crate) mod superaccumulator;
pub(crate) mod zone_days;
