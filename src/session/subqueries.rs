//! `IN (SELECT …)` and `EXISTS` anywhere in a SELECT list.
//!
//! DataFusion 55 has a plan for them in WHERE only, and there, below OR and CASE, one
//! that knows no NULL. Here each becomes a column of its own beneath the expression
//! that asks: a mark join says whether a row has a match, and for `IN` SQL's third
//! value is put together from what else matters: whether the subquery has a NULL, and
//! whether it has anything at all.
//!
//! Predicates that WHERE asks for by themselves, or in ANDs and ORs where unknown and
//! false come to the same, are left to DataFusion, which joins them well. The rule
//! comes before the coercion of types, so that the comparisons made here get it too.

use std::cell::Cell;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, lit, when,
};
use datafusion::optimizer::AnalyzerRule;

use super::marks::{Marks, VALUE, valued};

/// Rewrites predicates over subqueries where DataFusion has no plan for them.
#[derive(Debug)]
pub(super) struct Subqueries;

impl AnalyzerRule for Subqueries {
    fn name(&self) -> &str {
        "subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> PlanResult<LogicalPlan> {
        let made = Cell::new(0);
        let mended = plan.transform_up_with_subqueries(|plan| match &plan {
            LogicalPlan::Projection(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Sort(_)
                if plan.expressions().iter().any(asks) =>
            {
                Ok(Transformed::yes(with_marks(&plan, &made)?))
            }
            LogicalPlan::Filter(filter) => {
                let (left, ours): (Vec<_>, Vec<_>) = split_conjunction(&filter.predicate)
                    .into_iter()
                    .cloned()
                    .partition(left_to_datafusion);
                let Some(ours) = conjunction(ours) else {
                    return Ok(Transformed::no(plan));
                };
                let mut input = LogicalPlanBuilder::from(filter.input.as_ref().clone());
                if let Some(left) = conjunction(left) {
                    input = input.filter(left)?;
                }
                let plan = input.filter(ours)?.build()?;
                Ok(Transformed::yes(with_marks(&plan, &made)?))
            }
            _ => Ok(Transformed::no(plan)),
        })?;
        Ok(mended.data)
    }
}

/// Does it ask whether a subquery has rows?
fn asks(expr: &Expr) -> bool {
    let asks = expr.exists(|it| Ok(matches!(it, Expr::Exists(_) | Expr::InSubquery(_))));
    asks.unwrap_or(false)
}

/// Is this condition of WHERE one that DataFusion plans rightly?
fn left_to_datafusion(condition: &Expr) -> bool {
    match condition {
        Expr::InSubquery(_) | Expr::Exists(_) => true,
        Expr::Not(inner) => match inner.as_ref() {
            Expr::InSubquery(_) | Expr::Exists(_) => true,
            other => !asks(other),
        },
        other => only_adds_rows(other),
    }
}

/// Does it matter only whether the predicates within are true?
fn only_adds_rows(condition: &Expr) -> bool {
    match condition {
        Expr::InSubquery(it) => !it.negated,
        Expr::Exists(_) => true,
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::And | Operator::Or,
            right,
        }) => only_adds_rows(left) && only_adds_rows(right),
        other => !asks(other),
    }
}

/// The plan over an input in which every predicate is a column.
fn with_marks(plan: &LogicalPlan, made: &Cell<usize>) -> PlanResult<LogicalPlan> {
    let mut marks = Marks::new(plan.inputs()[0].clone(), made);
    let names = NamePreserver::new(plan);
    let mut exprs = vec![];
    for expr in plan.expressions() {
        let name = names.save(&expr);
        let mended = expr.transform_up(|expr| replaced(expr, &mut marks))?;
        exprs.push(name.restore(mended.data));
    }
    let columns = plan.schema().columns();
    let plan = plan.with_new_exprs(exprs, vec![marks.into_plan()])?;
    if plan.schema().fields().len() == columns.len() {
        return Ok(plan);
    }
    // Filters and sorts pass on what they get: the marks go no further.
    LogicalPlanBuilder::from(plan)
        .project(columns.into_iter().map(Expr::from))?
        .build()
}

fn replaced(expr: Expr, marks: &mut Marks<'_>) -> PlanResult<Transformed<Expr>> {
    let (answer, negated) = match expr {
        Expr::Exists(Exists { subquery, negated }) => (marks.exists(&subquery.subquery)?, negated),
        Expr::InSubquery(it) => (contains(&it, marks)?, it.negated),
        other => return Ok(Transformed::no(other)),
    };
    Ok(Transformed::yes(match negated {
        true => Expr::Not(Box::new(answer)),
        false => answer,
    }))
}

/// `x IN (SELECT value …)`: true with a match; else unknown if `x` or any value is NULL,
/// but false over nothing at all; else false.
fn contains(it: &InSubquery, marks: &mut Marks<'_>) -> PlanResult<Expr> {
    let x = it.expr.as_ref().clone();
    let values = valued(&it.subquery.subquery)?;
    let x_nullable = x.nullable(marks.schema())?;
    let value_nullable = values.schema().field(0).is_nullable();
    let found = marks.matching(&x, &values)?;
    if !x_nullable && !value_nullable {
        return Ok(found);
    }
    let unknown = || lit(ScalarValue::Boolean(None));
    let mut answer = when(found, lit(true));
    if value_nullable {
        let value = Expr::Column(VALUE.into());
        let nulls = LogicalPlanBuilder::from(values.as_ref().clone())
            .filter(value.is_null())?
            .build()?;
        answer = answer.when(marks.exists(&Arc::new(nulls))?, unknown());
    }
    if x_nullable {
        answer = answer.when(x.is_null().and(marks.exists(&values)?), unknown());
    }
    answer.otherwise(lit(false))
}
