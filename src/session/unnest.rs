//! Rows that an `unnest` multiplies are not unique any more.
//!
//! DataFusion 55 keeps what it knows of the rows below (one for each group, or each key) for the
//! rows above an `unnest`, of which there are many for one. Its rules then leave out a DISTINCT,
//! columns of a GROUP BY and of an ORDER BY, as if they could change nothing. Here that knowledge
//! goes before any rule that acts by it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{FunctionalDependencies, Result as PlanResult};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Rules that act by what is known to be unique.
const BELIEVERS: [&str; 4] = [
    "eliminate_duplicated_expr",
    "eliminate_join",
    "optimize_projections",
    "replace_distinct_aggregate",
];

/// These rules, each that believes behind one that sees to it.
pub(super) fn guarded(
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let ours: Arc<dyn OptimizerRule + Send + Sync> = Arc::new(UnnestedRows);
    let mut guarded = vec![];
    for rule in rules {
        if BELIEVERS.contains(&rule.name()) {
            guarded.push(Arc::clone(&ours));
        }
        guarded.push(rule);
    }
    guarded
}

#[derive(Debug)]
struct UnnestedRows;

impl OptimizerRule for UnnestedRows {
    fn name(&self) -> &str {
        "unnested_rows"
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> PlanResult<Transformed<LogicalPlan>> {
        let mut believes = false;
        plan.apply_with_subqueries(|node| {
            believes |= is_believed_unique(node);
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !believes {
            return Ok(Transformed::no(plan));
        }
        // What stands above takes over what is known below.
        plan.transform_up_with_subqueries(|node| {
            if !is_believed_unique(&node) {
                return Ok(Transformed::yes(node.recompute_schema()?));
            }
            let LogicalPlan::Unnest(mut unnest) = node else {
                return Ok(Transformed::no(node));
            };
            let schema = Arc::unwrap_or_clone(unnest.schema);
            let nothing = FunctionalDependencies::empty();
            unnest.schema = Arc::new(schema.with_functional_dependencies(nothing)?);
            Ok(Transformed::yes(LogicalPlan::Unnest(unnest)))
        })
    }
}

fn is_believed_unique(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Unnest(it) if !it.schema.functional_dependencies().is_empty())
}
