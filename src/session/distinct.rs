//! When `DISTINCT` in an aggregate becomes a GROUP BY below it.
//!
//! DataFusion's rule makes a second GROUP BY of a lone `DISTINCT`, as most of its functions keep
//! a set a group. Ours count by groups in one store ([`segql_udfs::exact_aggregates`]), which
//! takes half the memory of the second GROUP BY and leaves the rule what is not
//! grouped, where the values themselves are spread over the threads, and the other functions.
//!
//! A `sum` beside the `DISTINCT` would become a sum of sums: of another type if decimal, rounded
//! twice if double, and an error where only a part goes beyond the range. So then it stays away.

use std::sync::Arc;

use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};

/// Functions that keep the distinct values of many groups in one store.
const STORED: [&str; 3] = ["count", "sum", "avg"];

/// DataFusion's rules, where this one stands for the one it restrains.
pub(super) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let ours: Arc<dyn OptimizerRule + Send + Sync> = Arc::new(DistinctToGroupBy::default());
    let mut rules = Optimizer::new().rules;
    for rule in &mut rules {
        if rule.name() == ours.name() {
            *rule = Arc::clone(&ours);
        }
    }
    rules
}

#[derive(Debug, Default)]
struct DistinctToGroupBy(SingleDistinctToGroupBy);

impl OptimizerRule for DistinctToGroupBy {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> PlanResult<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Aggregate(aggregate) if stays(aggregate) => Ok(Transformed::no(plan)),
            _ => self.0.rewrite(plan, config),
        }
    }
}

fn stays(aggregate: &Aggregate) -> bool {
    let is_stored = |expr: &Expr| match expr {
        Expr::AggregateFunction(call) => {
            !call.params.distinct || STORED.contains(&call.func.name())
        }
        _ => false,
    };
    let is_sum = |expr: &Expr| match expr {
        Expr::AggregateFunction(call) => !call.params.distinct && call.func.name() == "sum",
        _ => false,
    };
    let of = &aggregate.aggr_expr;
    of.iter().any(is_sum) || (!aggregate.group_expr.is_empty() && of.iter().all(is_stored))
}
