//! The distinct values of many groups, in one store for all of them.
//!
//! A value is first only written down beside its group ([`pairs`]), in [buckets](super::buckets)
//! that are sorted when they have grown; what is there twice leaves.
//!
//! Values of all types are read as one of five kinds ([`plain`]): integers of four widths, and
//! bytes.

mod cells;
mod count;
mod fed;
mod lone;
mod pairs;
mod plain;

pub(super) use cells::Fixed;
pub(super) use count::groups_accumulator;
pub(super) use fed::groups_accumulator_over;
pub(super) use lone::{accumulator, state_of, values_of};
pub(super) use plain::{Plain, positive_zeros};
