//! The distinct values of many groups, in one store for all of them.
//!
//! A set a group costs more than it holds when groups are many and small. Here a value is first
//! only written down beside its group ([`pairs`]), in buckets of neighbouring groups
//! ([`bucket`]); a bucket that has grown is sorted by group and value, and what is there twice
//! leaves. So a row costs a few nanoseconds, memory stays within a constant of what is distinct,
//! and nothing but whole arrays is allocated.
//!
//! Values of all types are read as one of five kinds ([`plain`]): integers of four widths, and
//! bytes.

mod bucket;
mod cells;
mod count;
mod fed;
mod lone;
mod pairs;
mod plain;

pub(super) use count::groups_accumulator;
pub(super) use fed::groups_accumulator_over;
pub(super) use lone::{accumulator, state_of, values_of};
pub(super) use plain::Plain;
