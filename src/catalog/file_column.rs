//! `_file` can be selected from every source and is not in `*`.
//!
//! Where a query mentions it, its sources get the column, and every `*` over a
//! source leaves it out again.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, Select, SelectItem, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut, WildcardAdditionalOptions,
};

use crate::source::FILE_COLUMN;

/// Does a query mention `_file`?
pub(super) fn is_mentioned(tree: &impl Visit) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let name = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            match name {
                Some(name) if name.value == FILE_COLUMN => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    tree.visit(&mut Find).is_break()
}

/// Takes `_file` out of every `*` whose tables include a source.
pub(super) fn hide_from_wildcards(
    tree: &mut impl VisitMut,
    is_source: &dyn Fn(&ObjectName) -> bool,
) {
    let _ = tree.visit(&mut Hide { is_source });
}

struct Hide<'a> {
    is_source: &'a dyn Fn(&ObjectName) -> bool,
}

impl VisitorMut for Hide<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let over_source = select
            .from
            .iter()
            .flat_map(|table| {
                std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
            })
            .any(|factor| {
                matches!(factor, TableFactor::Table { name, args: None, .. } if (self.is_source)(name))
            });
        if over_source {
            for item in &mut select.projection {
                if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) =
                    item
                {
                    exclude(options);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn exclude(options: &mut WildcardAdditionalOptions) {
    let hidden = ObjectName::from(vec![Ident::new(FILE_COLUMN)]);
    options.opt_exclude = Some(match options.opt_exclude.take() {
        None => ExcludeSelectItem::Single(hidden),
        Some(ExcludeSelectItem::Single(other)) => ExcludeSelectItem::Multiple(vec![other, hidden]),
        Some(ExcludeSelectItem::Multiple(mut others)) => {
            others.push(hidden);
            ExcludeSelectItem::Multiple(others)
        }
    });
}
