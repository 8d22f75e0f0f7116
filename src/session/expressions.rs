//! Going over every expression of a plan, as the rules of this room do.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

/// Rewrites every expression of a plan and of its subqueries, from the leaves up, with
/// the columns that it sees; the columns of the plan keep their names.
pub(super) fn rewrite(
    plan: LogicalPlan,
    mend: impl Fn(Expr, &DFSchema) -> PlanResult<Transformed<Expr>>,
) -> PlanResult<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let schema = seen_by(&plan)?;
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let mended = expr.transform_up(|expr| mend(expr, &schema))?;
            Ok(mended.update_data(|expr| name.restore(expr)))
        })?;
        plan.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(rewritten.data)
}

/// The columns that the expressions of a plan can name.
pub(super) fn seen_by(plan: &LogicalPlan) -> PlanResult<DFSchema> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = plan {
        let source = scan.source.schema();
        schema.merge(&DFSchema::try_from_qualified_schema(
            scan.table_name.clone(),
            &source,
        )?);
    }
    Ok(schema)
}

/// Does it compare two values?
pub(super) fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}
