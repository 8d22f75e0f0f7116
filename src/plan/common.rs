//! What several plans of a run hold alike: the same join, groups, windows or distinct
//! rows below different filters, wherever they stand in the texts.
//!
//! Plans are looked at as they were bound, before anything is optimised for its one
//! use. Equal sub-plans become one node of a graph (hash-consing; the search for common
//! sub-expressions as in Silva, Larson and Zhou, "Exploiting Common Subexpressions for
//! Cloud Query Processing", ICDE 2012, without their costs). From the top down, a node
//! that would run more than once and does work that no node below it is kept for gets
//! a table in its place.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result as PlanResult, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableSource};

use super::interned::{Interned, over};

/// A sub-plan that several plans hold.
pub struct Common {
    /// What it does, in a few words.
    pub what: String,
    /// Its rows, every column with a name of its own.
    pub plan: LogicalPlan,
}

/// What takes the place of a common sub-plan: a table and its name. None where it
/// cannot be kept.
type Place<'p> =
    dyn FnMut(Common) -> PlanResult<Option<(TableReference, Arc<dyn TableSource>)>> + 'p;

/// The same plans with scans in the place of what they hold in common; what is below
/// comes first to `place`.
pub fn common(plans: &[&LogicalPlan], place: &mut Place<'_>) -> PlanResult<Vec<LogicalPlan>> {
    let mut graph = Interned::default();
    let tops: Vec<usize> = plans
        .iter()
        .map(|plan| graph.add(plan))
        .collect::<PlanResult<_>>()?;
    let keep = chosen(&graph, &tops);
    let mut made: Vec<LogicalPlan> = Vec::with_capacity(keep.len());
    for (id, keep) in keep.into_iter().enumerate() {
        let node = &graph.nodes[id];
        let plan = over(
            &node.shape,
            &mut node.below.iter().map(|id| made[*id].clone()),
        )?;
        let kept = match keep {
            true => in_its_place(&plan, graph.describe(id), place)?,
            false => None,
        };
        made.push(kept.unwrap_or(plan));
    }
    Ok(tops.into_iter().map(|top| made[top].clone()).collect())
}

/// Which nodes are worth keeping.
fn chosen(graph: &Interned, tops: &[usize]) -> Vec<bool> {
    let count = graph.nodes.len();
    let mut readers = vec![0_usize; count];
    let mut runs = vec![0_usize; count];
    for node in &graph.nodes {
        for below in &node.below {
            readers[*below] += 1;
        }
    }
    for top in tops {
        readers[*top] += 1;
        runs[*top] += 1;
    }
    let mut keep = vec![false; count];
    // What is below was added before.
    for id in (0..count).rev() {
        let node = &graph.nodes[id];
        keep[id] = runs[id] > 1 && node.is_fixed() && works(graph, &readers, id);
        let times = if keep[id] { 1 } else { runs[id] };
        for below in &node.below {
            runs[*below] = runs[*below].saturating_add(times);
        }
    }
    keep
}

/// Is there work in a node that only those who read this node need? What others read
/// as well is kept for itself, and what is filtered and projected from it is cheaper
/// done again.
fn works(graph: &Interned, readers: &[usize], id: usize) -> bool {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let node = &graph.nodes[id];
        if node.is_work {
            return true;
        }
        let below = node.below.iter().copied();
        open.extend(below.filter(|below| readers[*below] == 1));
    }
    false
}

/// A scan with the columns of the plan, as they are called there.
pub fn in_its_place(
    plan: &LogicalPlan,
    what: String,
    place: &mut Place<'_>,
) -> PlanResult<Option<LogicalPlan>> {
    let schema = plan.schema();
    let name = |index: usize| format!("c{index}");
    let unique = schema
        .columns()
        .into_iter()
        .enumerate()
        .map(|(index, column)| Expr::Column(column).alias(name(index)));
    let common = Common {
        what,
        plan: LogicalPlan::Projection(Projection::try_new(
            unique.collect(),
            Arc::new(plan.clone()),
        )?),
    };
    let Some((table, source)) = place(common)? else {
        return Ok(None);
    };
    let scan = LogicalPlanBuilder::scan(table.clone(), source, None)?.build()?;
    let columns = schema.iter().enumerate().map(|(index, (relation, field))| {
        Expr::Column(Column::new(Some(table.clone()), name(index)))
            .alias_qualified(relation.cloned(), field.name())
    });
    let projection = Projection::try_new(columns.collect(), Arc::new(scan))?;
    Ok(Some(LogicalPlan::Projection(projection)))
}

/// The scans of a plan, those of its subqueries too, by their sources.
pub fn for_each_scan(
    plan: &LogicalPlan,
    mut seen: impl FnMut(&Arc<dyn TableSource>, Option<&[usize]>),
) -> PlanResult<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            seen(&scan.source, scan.projection.as_deref());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The same plan with other plans in the place of some scans.
pub fn replace_scans(
    plan: LogicalPlan,
    by: impl Fn(&Arc<dyn TableSource>) -> PlanResult<Option<LogicalPlan>>,
) -> PlanResult<LogicalPlan> {
    let replaced = plan.transform_up_with_subqueries(|node| match &node {
        LogicalPlan::TableScan(scan) => match by(&scan.source)? {
            Some(plan) => {
                let name = scan.table_name.clone();
                let named = LogicalPlanBuilder::from(plan).alias(name)?.build()?;
                Ok(Transformed::yes(named))
            }
            None => Ok(Transformed::no(node)),
        },
        _ => Ok(Transformed::no(node)),
    })?;
    Ok(replaced.data)
}
