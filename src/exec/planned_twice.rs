//! Plans that are planned before what is above them, and then again with it.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;

/// A plan for a table that will be looked at once more as part of a larger one. Joins
/// that have their dynamic filters may not be turned round any more, on which DataFusion
/// insists by an assertion: they get them when the whole is planned.
pub(super) async fn planned_twice(
    session: &dyn Session,
    plan: &LogicalPlan,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
        return session.create_physical_plan(plan).await;
    };
    let mut state = state.clone();
    let optimizer = &mut state.config_mut().options_mut().optimizer;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    state.create_physical_plan(plan).await
}
