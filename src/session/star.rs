//! `sum(*)`: refused while the query is planned, where the star is still seen.

use datafusion::common::{Result as PlanResult, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr};

/// Refuses a star in `sum` and `avg`, which take it for an untyped NULL.
#[derive(Debug)]
pub(super) struct Star;

impl ExprPlanner for Star {
    fn plan_aggregate(&self, raw: RawAggregateExpr) -> PlanResult<PlannerResult<RawAggregateExpr>> {
        let name = raw.func.name();
        #[expect(deprecated, reason = "what the planner makes of a star")]
        let star = matches!(raw.args.as_slice(), [Expr::Wildcard { .. }]);
        if star && matches!(name, "sum" | "avg") {
            return plan_err!("{name} takes a column, not all of them; write {name}(x)");
        }
        Ok(PlannerResult::Original(raw))
    }
}
