//! Definitions give the same rows on every run: what would depend on the order
//! in which rows happen to arrive, on chance or on the clock is refused.
//!
//! `WITH (nondeterministic = true)` lifts this, and the record of a run shows it.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result as PlanResult, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Distinct, Expr, Limit, LogicalPlan, SortExpr, Volatility, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};

use super::binder::Binder;
use super::key::entity_key;
use super::row_keys::{Declared, marked, names, row_keys, tell_apart};
use super::{Definition, LABEL_COLUMN};
use crate::error::{Error, Result};
use crate::statement::{Body, Kind};

/// Window functions whose result depends on the order of every row.
const BY_POSITION: [&str; 7] = [
    "row_number",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// Aggregates that depend on the order of rows.
const BY_ORDER: [&str; 6] = [
    "any_value",
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "nth_value",
];

/// Functions that tell the time of the clock, not of the as-of.
const CLOCKS: [&str; 3] = ["now", "current_date", "current_time"];

/// Checks what a definition's own query does; what it builds on is checked there.
pub(super) fn check(
    binder: &Binder<'_>,
    definition: &Definition,
    plan: &LogicalPlan,
) -> Result<()> {
    let declared = |name: &str| declared_keys(binder, name);
    let mut found = None;
    let mut asked: Vec<*const LogicalPlan> = vec![];
    plan.apply_with_subqueries(|node| {
        if marked(node).is_some() {
            return Ok(TreeNodeRecursion::Jump);
        }
        add_exists_limits(node, &mut asked)?;
        if asked.contains(&std::ptr::from_ref(node)) {
            return Ok(TreeNodeRecursion::Continue);
        }
        match of_node(node, &declared) {
            Ok(()) => Ok(TreeNodeRecursion::Continue),
            Err(error) => {
                found = Some(error);
                Ok(TreeNodeRecursion::Stop)
            }
        }
    })?;
    match found {
        None => Ok(()),
        Some(error) => Err(error.hint(format!(
            "WITH (nondeterministic = true) lets {} give other rows on another run",
            definition.name
        ))),
    }
}

/// `EXISTS (SELECT 1 … LIMIT 1)` asks whether there is a row, not which: adds the
/// places of such limits in the expressions of a node.
fn add_exists_limits(node: &LogicalPlan, asked: &mut Vec<*const LogicalPlan>) -> PlanResult<()> {
    node.apply_expressions(|expr| {
        expr.apply(|part| {
            if let Expr::Exists(exists) = part
                && let plan = exists.subquery.subquery.as_ref()
                && let LogicalPlan::Limit(Limit { skip: None, .. }) = plan
            {
                asked.push(std::ptr::from_ref(plan));
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}

fn of_node(node: &LogicalPlan, declared: Declared<'_>) -> Result<()> {
    match node {
        LogicalPlan::Limit(limit) if !takes_nothing(limit) => limited(&limit.input, declared)?,
        LogicalPlan::Distinct(Distinct::On(on)) => {
            let order = on.sort_expr.as_deref().unwrap_or_default();
            let by = order.iter().map(|it| &it.expr).chain(&on.on_expr);
            if !tell_apart(by, &on.input, declared) {
                return Err(unordered("DISTINCT ON", &on.input, declared));
            }
        }
        LogicalPlan::Window(window) => {
            for expr in &window.window_expr {
                each(expr, &mut |part| match part {
                    Expr::WindowFunction(call) => of_window(call, &window.input, declared),
                    _ => Ok(()),
                })?;
            }
        }
        LogicalPlan::Aggregate(aggregate) => {
            for expr in &aggregate.aggr_expr {
                each(expr, &mut |part| match part {
                    Expr::AggregateFunction(call) => {
                        of_aggregate(call, &aggregate.group_expr, &aggregate.input, declared)
                    }
                    _ => Ok(()),
                })?;
            }
        }
        _ => {}
    }
    let of_functions = |expr: &Expr| each(expr, &mut of_function);
    let mut result = Ok(());
    node.apply_expressions(|expr| {
        result = of_functions(expr);
        Ok(match result {
            Ok(()) => TreeNodeRecursion::Continue,
            Err(_) => TreeNodeRecursion::Stop,
        })
    })?;
    result
}

/// Looks at every part of an expression.
fn each(expr: &Expr, test: &mut dyn FnMut(&Expr) -> Result<()>) -> Result<()> {
    let seen: PlanResult<_> = expr.apply(|part| {
        test(part).map_err(DataFusionError::from)?;
        Ok(TreeNodeRecursion::Continue)
    });
    seen.map(|_| ()).map_err(Error::from)
}

fn takes_nothing(limit: &Limit) -> bool {
    let fetch = limit.fetch.as_deref();
    matches!(fetch, Some(Expr::Literal(ScalarValue::Int64(Some(0)), _)))
}

/// LIMIT takes the first of its input's rows; which these are, a Sort below says.
fn limited(input: &LogicalPlan, declared: Declared<'_>) -> Result<()> {
    let mut sorted = input;
    while let LogicalPlan::Projection(projection) = sorted {
        sorted = &projection.input;
    }
    let order: &[SortExpr] = match sorted {
        LogicalPlan::Sort(sort) => &sort.expr,
        _ => &[],
    };
    let below = match sorted {
        LogicalPlan::Sort(sort) => &sort.input,
        _ => input,
    };
    match tell_apart(order.iter().map(|it| &it.expr), below, declared) {
        true => Ok(()),
        false => Err(unordered("LIMIT", below, declared)),
    }
}

fn of_window(call: &WindowFunction, input: &LogicalPlan, declared: Declared<'_>) -> Result<()> {
    let params = &call.params;
    let name = call.fun.name();
    let frame = &params.window_frame;
    let whole = matches!(&frame.start_bound, WindowFrameBound::Preceding(it) if it.is_null())
        && matches!(&frame.end_bound, WindowFrameBound::Following(it) if it.is_null());
    let by_rows = frame.units == WindowFrameUnits::Rows && !whole && is_aggregate(call);
    let by_position = BY_POSITION.contains(&name) || BY_ORDER.contains(&name);
    if !by_position && !by_rows {
        return Ok(());
    }
    let order = || params.order_by.iter().map(|it| &it.expr);
    // Of equal rows ROWS gives one this value and another that.
    let says_itself = name.ends_with("_value")
        && frame.units != WindowFrameUnits::Rows
        && params
            .args
            .iter()
            .take(1)
            .all(|it| order().any(|by| by == it));
    if says_itself || tell_apart(order().chain(&params.partition_by), input, declared) {
        return Ok(());
    }
    let what = match by_rows {
        true => format!("{name} over ROWS"),
        false => name.to_owned(),
    };
    Err(unordered(&what, input, declared))
}

fn is_aggregate(call: &WindowFunction) -> bool {
    matches!(call.fun, WindowFunctionDefinition::AggregateUDF(_))
}

fn of_aggregate(
    call: &AggregateFunction,
    group: &[Expr],
    input: &LogicalPlan,
    declared: Declared<'_>,
) -> Result<()> {
    let name = call.func.name();
    if name.starts_with("approx_percentile") || name == "approx_median" {
        return Err(
            Error::new(format!("{name} depends on the order in which rows arrive"))
                .hint("percentile_cont, median and quantile_cuts are exact"),
        );
    }
    if !BY_ORDER.contains(&name) {
        return Ok(());
    }
    let order = || call.params.order_by.iter().map(|it| &it.expr);
    let says_itself = call
        .params
        .args
        .iter()
        .take(1)
        .all(|it| order().any(|by| by == it));
    match says_itself || tell_apart(order().chain(group), input, declared) {
        true => Ok(()),
        false => Err(unordered(name, input, declared)),
    }
}

fn of_function(expr: &Expr) -> Result<()> {
    let Expr::ScalarFunction(call) = expr else {
        return Ok(());
    };
    let name = call.func.name();
    if CLOCKS.contains(&name) {
        let instead = match name {
            "current_date" => "as_of()",
            _ => "as_of_ts()",
        };
        return Err(Error::new(format!(
            "{name} is the time of the clock, which every run finds changed"
        ))
        .hint(format!(
            "{instead} is the time that everything is evaluated at"
        )));
    }
    match call.func.signature().volatility {
        Volatility::Volatile => Err(Error::new(format!("{name} gives another value every time"))
            .hint("bucket and holdout split customers at random, the same way every time")),
        _ => Ok(()),
    }
}

fn unordered(what: &str, input: &LogicalPlan, declared: Declared<'_>) -> Error {
    let error = Error::new(format!(
        "{what} picks among rows that its order does not tell apart: another run may pick others"
    ));
    match row_keys(input, declared)
        .into_iter()
        .min_by_key(|it| it.len())
    {
        Some(key) => error.hint(format!(
            "end its ORDER BY in what tells the rows apart: {}",
            names(&key, input).join(", ")
        )),
        None => error.hint(
            "end its ORDER BY in a key (a source says which columns that is by WITH (key = '…')), \
             or in the very values that are picked",
        ),
    }
}

/// The keys that are known of a relation by what is said of it.
pub(super) fn declared_keys(binder: &Binder<'_>, name: &str) -> Vec<Vec<String>> {
    let catalog = binder.world.catalog;
    let Some(definition) = catalog.find(name) else {
        return vec![];
    };
    let shared = binder.shared.get(&definition.name);
    let mut keys = shared.map(|it| it.keys.clone()).unwrap_or_default();
    keys.extend(binder.frozen_keys(&definition.name));
    if let Some(Ok((_, options))) = binder.inputs.sources.get(&definition.name)
        && !options.key.is_empty()
    {
        keys.push(options.key.clone());
    }
    for entity in catalog.of_kind(Kind::Entity) {
        if let Body::Table { table, .. } = &entity.create.body
            && catalog
                .find(&table.text)
                .is_some_and(|it| it.name == definition.name)
        {
            keys.push(vec![entity_key(entity)]);
        }
    }
    if definition.kind().has_members()
        && let Ok(key) = binder.key_of(definition)
    {
        let several = definition.has_several_labels();
        let label = definition
            .create
            .options
            .text("label")
            .unwrap_or(LABEL_COLUMN);
        keys.push(match several {
            true => vec![key, label.to_owned()],
            false => vec![key],
        });
    }
    keys
}
