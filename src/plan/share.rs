//! Which definitions a run computes once.
//!
//! DataFusion plans a view anew wherever it is named, so ten segments over one
//! base aggregate it ten times. What would run twice or more and does real work
//! (joins, groups, windows, sorts) is computed once instead; mere filters and
//! projections are cheaper to repeat than to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, Query, Select, SetExpr, Visit, Visitor};

use crate::catalog::{Catalog, Definition};
use crate::statement::{Body, Kind};

/// The shared ones among `order`, which lists every definition behind what it
/// builds on.
pub(super) fn shared(
    catalog: &Catalog,
    order: &[&str],
    chosen: &BTreeSet<String>,
) -> BTreeSet<String> {
    // From the top down: how often would each run?
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for name in order.iter().rev() {
        let Some(definition) = catalog.find(name) else {
            continue;
        };
        // Kept, or evaluated at a date of its own, as is what it rests on.
        if definition.is_frozen() {
            continue;
        }
        let own = usize::from(chosen.contains(*name));
        let count = runs.get(name).copied().unwrap_or(0).saturating_add(own);
        let once = count > 1 && works(definition);
        if once {
            shared.insert((*name).to_owned());
        }
        for reference in definition.references.iter().filter(|it| !it.previous) {
            if let Some(below) = catalog.find(&reference.name) {
                let more = reference.times.saturating_mul(if once { 1 } else { count });
                let runs = runs.entry(below.name.as_str()).or_default();
                *runs = runs.saturating_add(more);
            }
        }
    }
    shared
}

/// Does the definition itself do more than filter and project?
fn works(definition: &Definition) -> bool {
    let query = match &definition.create.body {
        Body::Query { query, .. } => query,
        Body::Priority(_) => return true,
        _ => return false,
    };
    let fills_up = definition.create.options.text("otherwise").is_some();
    (definition.kind() == Kind::Segmentation && fills_up) || query.visit(&mut Work).is_break()
}

struct Work;

impl Visitor for Work {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        match query.order_by.is_some() || matches!(*query.body, SetExpr::SetOperation { .. }) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        let joins =
            select.from.len() > 1 || select.from.iter().any(|table| !table.joins.is_empty());
        match grouped || joins || select.distinct.is_some() || select.having.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) if call.over.is_some() => ControlFlow::Break(()),
            Expr::Exists { .. } | Expr::InSubquery { .. } | Expr::Subquery(_) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
