//! Two columns of one name in a SELECT list.
//!
//! The planner refuses `SELECT day, CAST(day AS DATE)` and `SELECT a, a`, as a
//! cast keeps its column's name. The later one is named by its text, or with a
//! number, as people know it from elsewhere.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Select, SelectItem, VisitMut, VisitorMut};

/// Names repeated columns apart, in every SELECT of a tree.
pub(super) fn tell_apart(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut TellApart);
}

struct TellApart;

impl VisitorMut for TellApart {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let mut seen = BTreeSet::new();
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    seen.insert(alias.value.to_lowercase());
                }
                SelectItem::UnnamedExpr(expr) if !seen.insert(name(expr)) => {
                    let alias = Ident::with_quote('"', free_name(expr, &seen));
                    seen.insert(alias.value.to_lowercase());
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias,
                    };
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// The name that the planner gives a column: that of what is cast.
fn name(expr: &Expr) -> String {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name(expr),
        Expr::Identifier(ident) => ident.value.to_lowercase(),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map_or_else(String::new, |part| part.value.to_lowercase()),
        other => other.to_string().to_lowercase(),
    }
}

fn free_name(expr: &Expr, seen: &BTreeSet<String>) -> String {
    let text = expr.to_string();
    if matches!(expr, Expr::Cast { .. }) && !seen.contains(&text.to_lowercase()) {
        return text;
    }
    let base = name(expr);
    let numbered = (1..).map(|number| format!("{base}_{number}"));
    let mut free = numbered.filter(|name| !seen.contains(name));
    free.next().unwrap_or(base)
}
