//! Names of columns that a SELECT list leaves unnamed.
//!
//! The planner would call them by its own words (`Int64(1)`, `sum(orders.amount)`);
//! they get the text that was typed, casts too. Of two columns of one name, which
//! the planner refuses, the later one gets a number.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderByKind, Query, Select, SelectFlavor, SelectItem, SetExpr, VisitMut,
    VisitorMut, WildcardAdditionalOptions,
};

/// Names the columns of every SELECT in a tree.
pub(super) fn complete(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut Complete);
}

struct Complete;

impl VisitorMut for Complete {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let SetExpr::Select(select) = query.body.as_mut() else {
            return ControlFlow::Continue(());
        };
        let named = name_columns(select);
        // ORDER BY the same expression means the column that got the name.
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(by) = &mut order.kind
        {
            for item in by {
                if let Some((_, alias)) = named.iter().find(|(expr, _)| *expr == item.expr) {
                    item.expr = Expr::Identifier(alias.clone());
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        // `FROM orders` alone is `SELECT * FROM orders`.
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        name_columns(select);
        ControlFlow::Continue(())
    }
}

/// Gives unnamed columns names; says which expression got which.
fn name_columns(select: &mut Select) -> Vec<(Expr, Ident)> {
    let mut seen = BTreeSet::new();
    let mut named = vec![];
    for item in &mut select.projection {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                seen.insert(alias.value.to_lowercase());
            }
            SelectItem::UnnamedExpr(expr) => {
                let plain = column(expr);
                let name = plain.clone().unwrap_or_else(|| expr.to_string());
                let taken = !seen.insert(name.to_lowercase());
                if plain.is_some() && !taken {
                    continue;
                }
                let alias = if taken { free_name(&name, &seen) } else { name };
                seen.insert(alias.to_lowercase());
                let alias = Ident::with_quote('"', alias);
                named.push((expr.clone(), alias.clone()));
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias,
                };
            }
            _ => {}
        }
    }
    named
}

/// The column that an expression is.
fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(expr) => column(expr),
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
        _ => None,
    }
}

fn free_name(name: &str, seen: &BTreeSet<String>) -> String {
    let numbered = (1..).map(|number| format!("{name}_{number}"));
    let mut free = numbered.filter(|name| !seen.contains(&name.to_lowercase()));
    free.next().unwrap_or_else(|| name.to_owned())
}
