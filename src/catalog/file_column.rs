//! `_file` can be selected from every source and is not in `*`.
//!
//! Where a query mentions it, its sources get the column, and every `*` over a
//! source leaves it out again.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
};

use crate::error::{Error, Result};
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
                Some(name) if is_file_column(name) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    tree.visit(&mut Find).is_break()
}

fn is_file_column(name: &Ident) -> bool {
    match name.quote_style {
        Some(_) => name.value == FILE_COLUMN,
        None => name.value.eq_ignore_ascii_case(FILE_COLUMN),
    }
}

/// Takes `_file` out of every `*` whose tables include a source.
/// Over several sources `*` and NATURAL JOIN would meet more than one `_file`,
/// which is an error.
pub(super) fn hide_from_wildcards(
    tree: &mut impl VisitMut,
    is_source: &dyn Fn(&ObjectName) -> bool,
) -> Result<()> {
    match tree.visit(&mut Hide { is_source }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Hide<'a> {
    is_source: &'a dyn Fn(&ObjectName) -> bool,
}

impl VisitorMut for Hide<'_> {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let joins = select.from.iter().flat_map(|table| &table.joins);
        let natural = joins.clone().any(|join| is_natural(&join.join_operator));
        let factors = select.from.iter().map(|table| &table.relation);
        let sources = factors.chain(joins.map(|join| &join.relation)).filter(|factor| {
            matches!(factor, TableFactor::Table { name, args: None, .. } if (self.is_source)(name))
        });
        let sources = sources.count();
        let mut stars = select.projection.iter();
        let star = stars.any(|item| matches!(item, SelectItem::Wildcard(_)));
        if sources > 1 && (natural || star) {
            return ControlFlow::Break(
                Error::new("_file of several sources is ambiguous under * and NATURAL JOIN")
                    .hint("name the columns, and join with USING or ON"),
            );
        }
        if sources > 0 {
            for item in &mut select.projection {
                if let SelectItem::Wildcard(options) = item {
                    exclude(options);
                }
                if let SelectItem::QualifiedWildcard(_, options) = item
                    && sources == 1
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

fn is_natural(operator: &JoinOperator) -> bool {
    matches!(
        operator,
        JoinOperator::Join(JoinConstraint::Natural)
            | JoinOperator::Inner(JoinConstraint::Natural)
            | JoinOperator::Left(JoinConstraint::Natural)
            | JoinOperator::LeftOuter(JoinConstraint::Natural)
            | JoinOperator::Right(JoinConstraint::Natural)
            | JoinOperator::RightOuter(JoinConstraint::Natural)
            | JoinOperator::FullOuter(JoinConstraint::Natural)
    )
}
