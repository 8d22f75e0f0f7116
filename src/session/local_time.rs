//! Comparing local times with instants.
//!
//! A TIMESTAMP without zone is local wall clock; compared with an instant it is
//! cast into the instant's zone. DataFusion 55 then takes that cast off again
//! without the zone's offset (`cast(at AS zoned) <= literal` becomes
//! `at <= literal`, both as if in UTC) and gets the rows around midnight wrong in
//! every zone but UTC. Here the instant is turned into local time first, so that
//! no cast is left to take off, and files are pruned as they should be.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::functions::datetime::expr_fn::to_local_time;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, cast};
use datafusion::optimizer::AnalyzerRule;

use super::expressions::{self, compares};

/// Rewrites comparisons of local times with instants.
#[derive(Debug)]
pub(super) struct LocalTime;

impl AnalyzerRule for LocalTime {
    fn name(&self) -> &str {
        "local_time"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> PlanResult<LogicalPlan> {
        expressions::rewrite(plan, mend)
    }
}

fn mend(expr: Expr, schema: &DFSchema) -> PlanResult<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let sides = if let Some(local) = local(&left, schema) {
                in_local_time(local, &right, schema)?
            } else if let Some(local) = local(&right, schema) {
                in_local_time(local, &left, schema)?.map(|(local, instant)| (instant, local))
            } else {
                None
            };
            Ok(match sides {
                Some((left, right)) => Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(left),
                    op,
                    Box::new(right),
                ))),
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
            })
        }
        Expr::Between(between) => mend_between(between, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn mend_between(between: Between, schema: &DFSchema) -> PlanResult<Transformed<Expr>> {
    if let Some(local) = local(&between.expr, schema)
        && let Some((from, low)) = in_local_time(local.clone(), &between.low, schema)?
        && let Some((to, high)) = in_local_time(local, &between.high, schema)?
    {
        let inside = from.gt_eq(low).and(to.lt_eq(high));
        return Ok(Transformed::yes(match between.negated {
            true => Expr::Not(Box::new(inside)),
            false => inside,
        }));
    }
    Ok(Transformed::no(Expr::Between(between)))
}

/// A local time under a cast into a zone, with its unit.
fn local(expr: &Expr, schema: &DFSchema) -> Option<(Expr, TimeUnit)> {
    let Expr::Cast(cast) = expr else {
        return None;
    };
    match (cast.field.data_type(), cast.expr.get_type(schema).ok()?) {
        (DataType::Timestamp(_, Some(_)), DataType::Timestamp(unit, None)) => {
            Some((cast.expr.as_ref().clone(), unit))
        }
        _ => None,
    }
}

/// Both sides as local times of the finer unit.
fn in_local_time(
    (local, unit): (Expr, TimeUnit),
    instant: &Expr,
    schema: &DFSchema,
) -> PlanResult<Option<(Expr, Expr)>> {
    let DataType::Timestamp(other, Some(_)) = instant.get_type(schema)? else {
        return Ok(None);
    };
    // Units are ordered from seconds to nanoseconds.
    let finer = unit.max(other);
    let with_unit = |expr: Expr, has: TimeUnit| match has == finer {
        true => expr,
        false => cast(expr, DataType::Timestamp(finer, None)),
    };
    let instant = to_local_time(vec![instant.clone()]);
    Ok(Some((with_unit(local, unit), with_unit(instant, other))))
}
