//! Names of columns that a SELECT list leaves unnamed.
//!
//! The planner would call them by its own words (`Int64(1)`, `sum(orders.amount)`);
//! they get the text that was typed. A cast keeps its column's name, as in
//! PostgreSQL, unless that is taken: the planner refuses `SELECT day,
//! CAST(day AS DATE)` and `SELECT a, a`, so the later one is told apart.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectFlavor, SelectItem, SetExpr, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

/// Names the columns of every SELECT in a tree.
pub(super) fn complete(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut Complete);
}

struct Complete;

impl VisitorMut for Complete {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // `FROM orders` alone is `SELECT * FROM orders`.
        if let SetExpr::Select(select) = query.body.as_mut()
            && select.flavor == SelectFlavor::FromFirstNoSelect
        {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut seen = BTreeSet::new();
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    seen.insert(alias.value.to_lowercase());
                }
                SelectItem::UnnamedExpr(expr) => {
                    let name = column(expr).unwrap_or_else(|| text(expr));
                    let taken = !seen.insert(name.to_lowercase());
                    if column(expr).is_some() && !taken {
                        continue;
                    }
                    let alias = if taken { free_name(expr, &seen) } else { name };
                    seen.insert(alias.to_lowercase());
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias: Ident::with_quote('"', alias),
                    };
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// The column that an expression is, perhaps cast.
fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => column(expr),
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
        _ => None,
    }
}

/// What was typed; a text without its quotes.
fn text(expr: &Expr) -> String {
    match expr {
        Expr::Value(value) => match value.value.clone().into_string() {
            Some(text) => text,
            None => value.value.to_string(),
        },
        other => other.to_string(),
    }
}

fn free_name(expr: &Expr, seen: &BTreeSet<String>) -> String {
    let text = text(expr);
    if matches!(expr, Expr::Cast { .. }) && !seen.contains(&text.to_lowercase()) {
        return text;
    }
    let base = column(expr).unwrap_or(text);
    let numbered = (1..).map(|number| format!("{base}_{number}"));
    let mut free = numbered.filter(|name| !seen.contains(&name.to_lowercase()));
    free.next().unwrap_or(base)
}
