//! Table functions of segql's own, each in a file of its name: segments at dates
//! and through time, as relations that go with any SQL.
//!
//! Each reads the snapshots of its dates where there are any and else evaluates the
//! definitions at them (`members_at`), and is planned as SQL over these relations
//! (`given`).

mod arguments;
mod customer_labels;
mod given;
mod members_at;
mod reference;
mod segment_diff;
mod segment_history;
mod segment_migration;
mod segment_overlap;
mod segment_profile;
mod steps;

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};

use super::binder::as_source;
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
    Ok(Some(as_source(plan(&call)?, None)))
}

fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    match call.function.name {
        "segment_diff" => segment_diff::plan(call),
        "segment_history" => segment_history::plan(call),
        "segment_migration" => segment_migration::plan(call),
        "segment_overlap" => segment_overlap::pairs(call),
        "segment_combinations" => segment_overlap::combinations(call),
        "segment_profile" => segment_profile::plan(call),
        "customer_labels" => customer_labels::plan(call),
        _ => Err(call.usage()),
    }
}
