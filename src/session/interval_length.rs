//! Intervals and differences of times compared by their length.
//!
//! DataFusion 55 compares intervals field by field, months before days before
//! nanoseconds, and turns the difference of two timestamps, which is all
//! nanoseconds, into such an interval: 69 days are then no more than
//! `INTERVAL '30 days'`. Here both sides become their length in nanoseconds, as
//! PostgreSQL and DuckDB count it: a month is 30 days, a day 24 hours.
//!
//! The rule comes after the planner's coercion of types, which makes both sides
//! intervals where one is. A difference of two dates is a number of days, and
//! compared with an interval no type would fit both: [`DateDifference`] makes it a
//! difference of times while the query is planned.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, InList, InSubquery, NullTreatment};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    Between, BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, cast,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::expressions::{self, compares};
use super::nanoseconds::nanoseconds;

/// Rewrites comparisons of intervals.
#[derive(Debug)]
pub(super) struct IntervalLength;

impl AnalyzerRule for IntervalLength {
    fn name(&self) -> &str {
        "interval_length"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> PlanResult<LogicalPlan> {
        let plan = expressions::rewrite(plan, mend)?;
        let sorted = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Sort(mut sort) => {
                for by in &mut sort.expr {
                    if is_interval(&by.expr, sort.input.schema()) {
                        by.expr = length(&by.expr, sort.input.schema());
                    }
                }
                Ok(Transformed::yes(LogicalPlan::Sort(sort)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(sorted.data)
    }
}

fn is_interval(expr: &Expr, schema: &DFSchema) -> bool {
    matches!(expr.get_type(schema), Ok(DataType::Interval(_)))
}

/// The nanoseconds of an interval, or of the difference of times that became one.
fn length(expr: &Expr, schema: &DFSchema) -> Expr {
    if let Expr::Cast(cast) = expr
        && let Ok(DataType::Duration(_)) = cast.expr.get_type(schema)
    {
        return nanoseconds(cast.expr.as_ref().clone());
    }
    nanoseconds(expr.clone())
}

fn mend(expr: Expr, schema: &DFSchema) -> PlanResult<Transformed<Expr>> {
    let boxed = |expr: &Expr| Box::new(length(expr, schema));
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if compares(op) && is_interval(&left, schema) =>
        {
            let (left, right) = (boxed(&left), boxed(&right));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        Expr::Between(it) if is_interval(&it.expr, schema) => {
            Transformed::yes(Expr::Between(Between {
                expr: boxed(&it.expr),
                negated: it.negated,
                low: boxed(&it.low),
                high: boxed(&it.high),
            }))
        }
        Expr::InList(it) if is_interval(&it.expr, schema) => {
            let list = it.list.iter().map(|item| length(item, schema)).collect();
            Transformed::yes(Expr::InList(InList::new(boxed(&it.expr), list, it.negated)))
        }
        Expr::InSubquery(it) if is_interval(&it.expr, schema) => {
            Transformed::yes(in_lengths(it, schema)?)
        }
        Expr::Case(it) if it.expr.as_ref().is_some_and(|it| is_interval(it, schema)) => {
            let when = it.when_then_expr.into_iter();
            Transformed::yes(Expr::Case(Case {
                expr: it.expr.map(|expr| boxed(&expr)),
                when_then_expr: when.map(|(when, then)| (boxed(&when), then)).collect(),
                else_expr: it.else_expr,
            }))
        }
        Expr::AggregateFunction(it) => extreme(it, schema),
        other => Transformed::no(other),
    })
}

fn in_lengths(mut it: InSubquery, schema: &DFSchema) -> PlanResult<Expr> {
    let plan = it.subquery.subquery.as_ref().clone();
    let column = Expr::from(plan.schema().columns().remove(0));
    let lengths = length(&column, plan.schema());
    let plan = LogicalPlanBuilder::from(plan).project([lengths])?.build()?;
    it.subquery = it.subquery.with_plan(plan.into());
    it.expr = Box::new(length(&it.expr, schema));
    Ok(Expr::InSubquery(it))
}

/// `min` and `max` of intervals: the first by length, then by fields, so that of two
/// of one length the same is taken whatever the order of the rows.
fn extreme(mut call: AggregateFunction, schema: &DFSchema) -> Transformed<Expr> {
    let smallest = match call.func.name() {
        "min" => true,
        "max" => false,
        _ => return Transformed::no(Expr::AggregateFunction(call)),
    };
    let [value] = call.params.args.as_slice() else {
        return Transformed::no(Expr::AggregateFunction(call));
    };
    if !is_interval(value, schema) {
        return Transformed::no(Expr::AggregateFunction(call));
    }
    let by = |expr: Expr| expr.sort(smallest, false);
    call.params.order_by = vec![by(length(value, schema)), by(value.clone())];
    call.params.null_treatment = Some(NullTreatment::IgnoreNulls);
    call.params.distinct = false;
    call.func = first_value_udaf();
    Transformed::yes(Expr::AggregateFunction(call))
}

/// Plans `date - date > interval`.
#[derive(Debug)]
pub(super) struct DateDifference;

impl ExprPlanner for DateDifference {
    fn plan_binary_op(
        &self,
        mut raw: RawBinaryExpr,
        schema: &DFSchema,
    ) -> PlanResult<PlannerResult<RawBinaryExpr>> {
        if !matches!(
            raw.op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
        ) {
            return Ok(PlannerResult::Original(raw));
        }
        if is_interval(&raw.right, schema) {
            raw.left = as_times(raw.left, schema);
        } else if is_interval(&raw.left, schema) {
            raw.right = as_times(raw.right, schema);
        }
        Ok(PlannerResult::Original(raw))
    }
}

/// A difference of dates as one of midnights; all else as it is.
fn as_times(expr: Expr, schema: &DFSchema) -> Expr {
    let is_date = |expr: &Expr| matches!(expr.get_type(schema), Ok(DataType::Date32));
    let midnight = |expr: Expr| {
        let unit = datafusion::arrow::datatypes::TimeUnit::Second;
        Box::new(cast(expr, DataType::Timestamp(unit, None)))
    };
    match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Minus,
            right,
        }) if is_date(&left) && is_date(&right) => Expr::BinaryExpr(BinaryExpr::new(
            midnight(*left),
            Operator::Minus,
            midnight(*right),
        )),
        other => other,
    }
}
