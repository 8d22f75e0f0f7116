//! Of several versions of a row the one that counts: `history` and `latest_by`.

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_window::rank::rank_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Expr, ExprFuncBuilder, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, WindowFrame,
    WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, lit, not,
};
use datafusion::prelude::ident;

use super::refuse::Refuse;
use crate::error::Result;

/// A key with two versions at a time would be counted twice.
pub(super) fn one_version(
    plan: LogicalPlan,
    name: &str,
    from: &str,
    key: &[String],
) -> Result<LogicalPlan> {
    let columns = columns(&plan);
    let keys = key.join(", ");
    let message =
        format!("source {name}: some keys ({keys}) have two versions that are valid at once");
    let hint = "history needs versions that end where the next begins";
    let repeated = Refuse::call(ident("segql_rows").gt(lit(1_i64)), &message, hint);
    let versions = by_key(count_udaf(), from, key)?
        .window_frame(WindowFrame::new(None))
        .build()?;
    Ok(LogicalPlanBuilder::from(plan)
        .window([versions.alias("segql_rows")])?
        .filter(not(repeated).and(not(no_key(name, key))))?
        .project(columns)?
        .build()?)
}

/// The newest row of each key. Two that are equally new are an error: which of
/// them counts would be chance. Each of them says so, so that a condition on the
/// rest of their columns cannot hide it.
pub(super) fn newest(
    plan: LogicalPlan,
    name: &str,
    column: &str,
    key: &[String],
) -> Result<LogicalPlan> {
    let columns = columns(&plan);
    let message = format!(
        "source {name}: two rows of one key ({}) have the same '{column}'",
        key.join(", ")
    );
    let hint = "latest_by needs a time that tells the rows of a key apart";
    let is_newest = || ident("segql_rank").eq(lit(1_u64));
    let repeated = is_newest().and(ident("segql_rows").gt(lit(1_i64)));
    let rank = by_key(rank_udwf(), column, key)?.build()?;
    let peers = by_key(count_udaf(), column, key)?
        .window_frame(WindowFrame::new_bounds(
            WindowFrameUnits::Range,
            WindowFrameBound::CurrentRow,
            WindowFrameBound::CurrentRow,
        ))
        .build()?;
    let rules = not(Refuse::call(repeated, &message, hint)).and(not(no_key(name, key)));
    Ok(LogicalPlanBuilder::from(plan)
        .window([rank.alias("segql_rank"), peers.alias("segql_rows")])?
        .filter(is_newest().and(rules))?
        .project(columns)?
        .build()?)
}

/// The columns of a plan, without those that are added to it on the way.
fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}

/// A row that names nobody belongs to no key.
fn no_key(name: &str, key: &[String]) -> Expr {
    let missing = key.iter().map(|key| ident(key.as_str()).is_null());
    let missing = missing.reduce(Expr::or).unwrap_or_else(|| lit(false));
    let message = format!(
        "source {name}: the key ({}) is NULL in some rows",
        key.join(", ")
    );
    Refuse::call(missing, &message, "a view can leave such rows out")
}

/// A window function over the rows of each key, the newest first.
fn by_key(
    function: impl Into<WindowFunctionDefinition>,
    column: &str,
    key: &[String],
) -> Result<ExprFuncBuilder> {
    let function = function.into();
    let args = match &function {
        WindowFunctionDefinition::AggregateUDF(_) => vec![lit(1)],
        WindowFunctionDefinition::WindowUDF(_) => vec![],
    };
    let call = Expr::from(WindowFunction::new(function, args));
    Ok(call
        .partition_by(key.iter().map(|key| ident(key.as_str())).collect())
        .order_by(vec![ident(column).sort(false, false)]))
}
