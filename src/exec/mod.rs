//! Physical operators of our own and the rules that put them into plans: where
//! DataFusion's would gather everything on one core, hold what no limit sees, or
//! compute again what is known.
//!
//! Every operator accounts for its memory in the pool, names itself in EXPLAIN, and
//! gives the rows that plain DataFusion would give.

mod cache_sized;
pub(crate) mod carried;
mod dense;
mod in_order;
pub(crate) mod incremental;
mod kept;
mod memberships;
mod planned_twice;
mod settings;
mod window;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;

pub(crate) use in_order::OrderedTable;
pub(crate) use kept::{KeptRows, KeptTable, Place};
pub(crate) use memberships::{Counted, Entrant, MembershipTable, Shape};
pub(crate) use settings::ExecSettings;

/// The rules that run before DataFusion's, so that it sees to what our operators ask for.
pub(crate) fn first_physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![Arc::new(window::Windows), Arc::new(dense::Dense)]
}

/// The rules that run after DataFusion's, in this order.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    vec![
        Arc::new(window::AccountedWindows),
        Arc::new(cache_sized::CacheSized),
    ]
}
