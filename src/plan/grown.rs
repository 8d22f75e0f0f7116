//! Aggregates over rows that only become more from date to date.
//!
//! Below such an aggregate there are filters, projections and inner joins over sources
//! that grow ([`growing_source`]) and over what is the same at every date. A row of a
//! join is there as soon as both its sides are; so every row can say since which date
//! it is, and the aggregate of a date is that of the date before and some more rows.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType, Result as PlanResult};
use datafusion::functions::core::expr_fn::greatest;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, Projection, SubqueryAlias, TableSource,
};

use super::common::for_each_scan;
use crate::catalog::growing_source;

/// A plan whose rows say since when they are there.
pub struct Grown {
    /// The rows of the last date.
    pub plan: LogicalPlan,
    /// The column that says it; none where all are there from the first date on.
    pub since: Option<Column>,
}

/// Gives the rows of a source with a last column of this name that says since when
/// they are there.
type Seen<'s> = dyn Fn(&str, &str) -> PlanResult<LogicalPlan> + 's;

/// An aggregate that can be carried, as far as its rows decide: groups of rows that
/// only become more, of which some conditions may choose others at every date.
pub struct Groups {
    /// What is alike at every date.
    pub alike: Alike,
    /// Conditions on the rows, all of which hold.
    pub conditions: Vec<Expr>,
    /// What is computed of each group.
    pub calls: Vec<Expr>,
}

/// What tells aggregates apart, whatever the date they are planned for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alike {
    /// The rows before the conditions.
    pub rows: Arc<LogicalPlan>,
    /// What they are grouped by.
    pub by: Vec<Expr>,
    /// The columns of the groups. Functions that know the date are called the same at
    /// every date.
    columns: Vec<String>,
    conditions: usize,
}

impl Groups {
    /// None where a plan is no such aggregate.
    pub fn of(plan: &LogicalPlan) -> Option<Self> {
        let LogicalPlan::Aggregate(aggregate) = plan else {
            return None;
        };
        let (rows, conditions) = match aggregate.input.as_ref() {
            LogicalPlan::Filter(filter) => {
                let all = split_conjunction(&filter.predicate);
                (&filter.input, all.into_iter().cloned().collect())
            }
            _ => (&aggregate.input, vec![]),
        };
        let by = &aggregate.group_expr;
        let is_plain = !by.is_empty() && !by.iter().any(|by| matches!(by, Expr::GroupingSet(_)));
        let mut exprs = by.iter().chain(&aggregate.aggr_expr).chain(&conditions);
        if !is_plain || !exprs.all(is_row_wise) || grows(rows) != Some(true) {
            return None;
        }
        let fields = aggregate.schema.fields().iter();
        Some(Self {
            alike: Alike {
                rows: Arc::clone(rows),
                by: by.clone(),
                columns: fields.map(|field| field.name().clone()).collect(),
                conditions: conditions.len(),
            },
            conditions,
            calls: aggregate.aggr_expr.clone(),
        })
    }
}

/// Does a plan read what grows (true), only what stays the same (false), or is it such
/// that its rows may also go (none)?
fn grows(plan: &LogicalPlan) -> Option<bool> {
    if !reads_growing(plan) {
        return Some(false);
    }
    match plan {
        LogicalPlan::TableScan(_) => Some(true),
        LogicalPlan::SubqueryAlias(alias) => grows(&alias.input),
        LogicalPlan::Projection(it) if it.expr.iter().all(is_row_wise) => grows(&it.input),
        LogicalPlan::Filter(it) if is_row_wise(&it.predicate) => grows(&it.input),
        LogicalPlan::Join(join) if is_inner(join) => Some(grows(&join.left)? | grows(&join.right)?),
        _ => None,
    }
}

fn reads_growing(plan: &LogicalPlan) -> bool {
    let mut found = false;
    // Nothing in the walk can fail.
    let _ = for_each_scan(plan, |source, _| found |= growing_source(source).is_some());
    found
}

fn is_inner(join: &Join) -> bool {
    let mut exprs = join.on.iter().flat_map(|(left, right)| [left, right]);
    join.join_type == JoinType::Inner
        && exprs.all(is_row_wise)
        && join.filter.iter().all(is_row_wise)
}

/// Does an expression depend on the row alone, each time alike?
fn is_row_wise(expr: &Expr) -> bool {
    let other = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::WindowFunction(_)
                | Expr::Unnest(_)
        ))
    });
    // Nothing in the walk can fail.
    !other.unwrap_or(true) && !expr.is_volatile()
}

/// The rows of [`Groups`] with the date since which they are there.
pub fn grown(plan: &LogicalPlan, seen: &Seen<'_>) -> PlanResult<Grown> {
    Growing { seen, sources: 0 }.grown(plan)
}

struct Growing<'s> {
    seen: &'s Seen<'s>,
    /// How many there were so far: each has a column of its own.
    sources: usize,
}

impl Growing<'_> {
    fn grown(&mut self, plan: &LogicalPlan) -> PlanResult<Grown> {
        if !reads_growing(plan) {
            return Ok(Grown {
                plan: plan.clone(),
                since: None,
            });
        }
        match plan {
            LogicalPlan::TableScan(scan) => {
                let source: &Arc<dyn TableSource> = &scan.source;
                let since = self.next_name();
                let rows = (self.seen)(&growing_source(source).unwrap_or_default(), &since)?;
                let name = scan.table_name.clone();
                Ok(Grown {
                    since: Some(Column::new(Some(name.clone()), since)),
                    plan: LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(rows), name)?),
                })
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let below = self.grown(&alias.input)?;
                let name = alias.alias.clone();
                let renamed = |since: Column| Column::new(Some(name.clone()), since.name);
                Ok(Grown {
                    since: below.since.map(renamed),
                    plan: LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(
                        Arc::new(below.plan),
                        name,
                    )?),
                })
            }
            LogicalPlan::Projection(projection) => {
                let below = self.grown(&projection.input)?;
                let since = below.since.iter().cloned().map(Expr::Column);
                let exprs = projection.expr.iter().cloned().chain(since).collect();
                let plan = Projection::try_new(exprs, Arc::new(below.plan))?;
                Ok(Grown {
                    plan: LogicalPlan::Projection(plan),
                    since: below.since,
                })
            }
            LogicalPlan::Filter(filter) => {
                let below = self.grown(&filter.input)?;
                let plan = Filter::try_new(filter.predicate.clone(), Arc::new(below.plan))?;
                Ok(Grown {
                    plan: LogicalPlan::Filter(plan),
                    since: below.since,
                })
            }
            LogicalPlan::Join(join) => self.joined(join),
            _ => datafusion::common::internal_err!("rows of this kind may also go"),
        }
    }

    fn joined(&mut self, join: &Join) -> PlanResult<Grown> {
        let (left, right) = (self.grown(&join.left)?, self.grown(&join.right)?);
        let plan = LogicalPlan::Join(Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            join.on.clone(),
            join.filter.clone(),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?);
        let (Some(left), Some(right)) = (&left.since, &right.since) else {
            let since = left.since.or(right.since);
            return Ok(Grown { plan, since });
        };
        let since = self.next_name();
        let later = greatest(vec![Expr::from(left.clone()), Expr::from(right.clone())]);
        let columns = plan.schema().columns().into_iter().map(Expr::Column);
        let columns = columns.chain([later.alias(since.clone())]).collect();
        Ok(Grown {
            plan: LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?),
            since: Some(Column::from_name(since)),
        })
    }

    fn next_name(&mut self) -> String {
        self.sources += 1;
        format!("segql since {}", self.sources)
    }
}

/// Every aggregate of a plan that can be carried, the outermost ones first.
pub fn each_carriable(plan: &LogicalPlan, mut found: impl FnMut(Groups)) -> PlanResult<()> {
    plan.apply_with_subqueries(|node| match Groups::of(node) {
        Some(groups) => {
            found(groups);
            Ok(TreeNodeRecursion::Jump)
        }
        None => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(())
}
