//! Plans as one graph in which equal sub-plans are one node.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as PlanResult, TableReference};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, Subquery, TableType};

use crate::catalog::definition_of;

/// Nodes, each behind those it builds on.
#[derive(Default)]
pub(super) struct Interned {
    pub(super) nodes: Vec<Node>,
    /// Nodes by what they look like.
    known: HashMap<Arc<Look>, usize>,
    /// Plans that were looked at, by their place in memory: what views share is
    /// walked once, however many paths lead there.
    seen: HashMap<*const LogicalPlan, usize>,
}

/// What makes two nodes the same: the node over leaves that name what is below, and
/// what a scan reads, which its own equality leaves out.
type Look = (LogicalPlan, usize);

/// A node of the graph.
pub(super) struct Node {
    /// The node over leaves in the place of what is below.
    pub(super) shape: Arc<LogicalPlan>,
    /// What its subqueries and inputs are, in this order.
    pub(super) below: Vec<usize>,
    /// Is it worth keeping rather than doing again?
    pub(super) is_work: bool,
    /// Was something below it condensed: grouped, made distinct, computed by windows?
    is_condensed: bool,
    /// Does something in it give other rows every time?
    is_volatile: bool,
    /// Is a column of a query around it used?
    is_open: bool,
}

impl Node {
    /// Does it give the same rows wherever it stands?
    pub(super) fn is_fixed(&self) -> bool {
        !self.is_volatile && !self.is_open
    }
}

/// Stands for a node in the shape of those above it.
fn leaf(id: usize) -> LogicalPlan {
    let table = TableReference::full("segql", "node", id.to_string());
    let field = Field::new("node", DataType::Null, true);
    let schema = DFSchema::new_with_metadata(vec![(Some(table), Arc::new(field))], HashMap::new());
    LogicalPlan::EmptyRelation(EmptyRelation {
        produce_one_row: false,
        schema: Arc::new(schema.unwrap_or_else(|_| DFSchema::empty())),
    })
}

impl Interned {
    /// Adds a plan and all below it.
    pub(super) fn add(&mut self, plan: &LogicalPlan) -> PlanResult<usize> {
        let place = std::ptr::from_ref(plan);
        if let Some(id) = self.seen.get(&place) {
            return Ok(*id);
        }
        let mut below = vec![];
        let mut is_open = false;
        plan.apply_subqueries(|subquery| {
            if let LogicalPlan::Subquery(subquery) = subquery {
                let id = self.add(&subquery.subquery)?;
                is_open |= self.nodes[id].is_open && !is_answered(subquery, plan);
                below.push(id);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        for input in plan.inputs() {
            let id = self.add(input)?;
            is_open |= self.nodes[id].is_open;
            below.push(id);
        }
        let id = self.intern(plan, below, is_open)?;
        self.seen.insert(place, id);
        Ok(id)
    }

    fn intern(
        &mut self,
        plan: &LogicalPlan,
        below: Vec<usize>,
        is_open: bool,
    ) -> PlanResult<usize> {
        let mut leaves = below.iter().map(|id| leaf(*id));
        let shape = over(plan, &mut leaves)?;
        drop(leaves);
        let read = match plan {
            LogicalPlan::TableScan(scan) => Arc::as_ptr(&scan.source).cast::<()>() as usize,
            _ => 0,
        };
        let look = Arc::new((shape, read));
        if let Some(id) = self.known.get(&look) {
            return Ok(*id);
        }
        let mut is_volatile = below.iter().any(|id| self.nodes[*id].is_volatile);
        let mut is_open = is_open;
        plan.apply_expressions(|expr| {
            is_volatile |= expr.is_volatile();
            is_open |= expr.contains_outer();
            Ok(TreeNodeRecursion::Continue)
        })?;
        let is_condensed = condenses(plan) || below.iter().any(|id| self.nodes[*id].is_condensed);
        let has_subquery = below.len() > plan.inputs().len();
        let id = self.nodes.len();
        self.nodes.push(Node {
            // What joins nothing but rows as they are may have more rows than all its
            // inputs: doing it again takes less than keeping them.
            is_work: is_condensed && is_work(plan, has_subquery),
            is_condensed,
            is_volatile,
            is_open,
            below,
            shape: Arc::new(look.0.clone()),
        });
        self.known.insert(look, id);
        Ok(id)
    }

    /// What a node does, in a few words: the definition it is, or the first work
    /// below it.
    pub(super) fn describe(&self, id: usize) -> String {
        let mut next = Some(id);
        while let Some(id) = next {
            let node = &self.nodes[id];
            if let Some(name) = definition_of(&node.shape) {
                return name.to_owned();
            }
            if node.is_work {
                return work(&node.shape);
            }
            next = node.below.first().copied();
        }
        "rows".to_owned()
    }
}

/// Are the columns that a subquery asks of those around it this plan's?
fn is_answered(subquery: &Subquery, plan: &LogicalPlan) -> bool {
    subquery.outer_ref_columns.iter().all(|asked| match asked {
        Expr::OuterReferenceColumn(_, column) => {
            let inputs = plan.inputs();
            inputs.iter().any(|input| input.schema().has_column(column))
        }
        _ => false,
    })
}

/// A node with other plans in the place of its subqueries and inputs, in this order.
pub(super) fn over(
    node: &LogicalPlan,
    below: &mut dyn Iterator<Item = LogicalPlan>,
) -> PlanResult<LogicalPlan> {
    let node = node
        .clone()
        .map_subqueries(|plan| match (plan, below.next()) {
            (LogicalPlan::Subquery(subquery), Some(plan)) => {
                Ok(Transformed::yes(LogicalPlan::Subquery(Subquery {
                    subquery: Arc::new(plan),
                    ..subquery
                })))
            }
            (other, _) => Ok(Transformed::no(other)),
        })?;
    let node = node.data.map_children(|input| match below.next() {
        Some(plan) => Ok(Transformed::yes(plan)),
        None => Ok(Transformed::no(input)),
    })?;
    Ok(node.data)
}

/// Does a plan do more than filter and project what it scans?
pub fn works(plan: &LogicalPlan) -> bool {
    plan.exists(|node| {
        let mut has_subquery = false;
        node.apply_subqueries(|_| {
            has_subquery = true;
            Ok(TreeNodeRecursion::Stop)
        })?;
        Ok(is_work(node, has_subquery))
    })
    .unwrap_or(true)
}

/// Does a node more than filter and project? A subquery is a join.
fn is_work(plan: &LogicalPlan, has_subquery: bool) -> bool {
    has_subquery
        || groups(plan)
        || matches!(
            plan,
            LogicalPlan::Join(_) | LogicalPlan::Sort(_) | LogicalPlan::Extension(_)
        )
}

fn groups(plan: &LogicalPlan) -> bool {
    matches!(
        plan,
        LogicalPlan::Aggregate(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::RecursiveQuery(_)
    )
}

/// Scans of rows that are kept count, as work was done for these.
fn condenses(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.source.table_type() == TableType::Temporary,
        _ => groups(plan),
    }
}

fn work(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => "totals".to_owned(),
        LogicalPlan::Aggregate(aggregate) => {
            let by = aggregate
                .group_expr
                .iter()
                .map(|expr| expr.schema_name().to_string());
            format!("GROUP BY {}", by.collect::<Vec<_>>().join(", "))
        }
        LogicalPlan::Join(_) => "a join".to_owned(),
        LogicalPlan::Window(_) => "window functions".to_owned(),
        LogicalPlan::Distinct(_) => "DISTINCT".to_owned(),
        LogicalPlan::Sort(_) => "ORDER BY".to_owned(),
        _ => "a subquery".to_owned(),
    }
}
