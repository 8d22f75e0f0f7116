//! Table functions of segql's own, each in a file of its name: segments at dates
//! and through time, and what goes with what, as relations that go with any SQL.
//!
//! Those about segments read the snapshots of its dates where there are any and else evaluate the
//! definitions at them (`members_at`); those about purchases read the views that the
//! library reads (`purchases`). Each is planned as SQL over these relations (`given`).

mod arguments;
mod bought_together;
mod crowd;
mod customer_labels;
mod given;
mod in_window;
mod members_at;
mod next_best;
mod profile;
mod purchases;
mod reference;
mod segment_diff;
mod segment_history;
mod segment_impact;
mod segment_metrics;
mod segment_migration;
mod segment_overlap;
mod segment_profile;
mod steps;

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};

use super::binder::known_as;
use super::scope::Scope;
use super::{members_function, previous_members};
use crate::error::Result;

use arguments::Call;
pub(super) use arguments::moment_of;
pub(super) use given::stacked;
pub(super) use reference::{Reach, find};
pub use reference::{TABLE_FUNCTIONS, TableFunction};

/// The rows of a call, if the function is segql's own.
pub(super) fn source(
    scope: &Scope<'_, '_>,
    name: &str,
    args: &[Expr],
) -> Result<Option<Arc<dyn TableSource>>> {
    let Some(function) = find(name) else {
        return Ok(None);
    };
    match function.name {
        "members" => return members_function::function(scope, args).map(Some),
        "previous_members" => return previous_members::function(scope, args).map(Some),
        _ => {}
    }
    let call = Call::new(scope, function, args);
    // What it does inside is not the caller's to answer for.
    known_as(&call.to_string(), plan(&call)?, None).map(Some)
}

fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    match call.function.name {
        "bought_together" => bought_together::plan(call),
        "next_best" => next_best::plan(call),
        "profile" => profile::plan(call),
        "segment_diff" => segment_diff::plan(call),
        "segment_history" => segment_history::plan(call),
        "segment_impact" => segment_impact::plan(call),
        "segment_metrics" => segment_metrics::plan(call),
        "segment_migration" => segment_migration::plan(call),
        "segment_overlap" => segment_overlap::pairs(call),
        "segment_combinations" => segment_overlap::combinations(call),
        "segment_profile" => segment_profile::plan(call),
        "customer_labels" => customer_labels::plan(call),
        _ => Err(call.usage()),
    }
}
