//! `_file` and `_line` can be selected from every source and are not in `*`.
//!
//! Where a query mentions one, its sources get the column, and every `*` over a
//! source leaves it out again.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem,
    TableFactor, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
};

use crate::error::{Error, Result};
use crate::source::{FILE_COLUMN, LINE_COLUMN};

const HIDDEN: [&str; 2] = [FILE_COLUMN, LINE_COLUMN];

/// The hidden columns that a query mentions.
pub(super) fn mentioned(tree: &impl Visit) -> Vec<&'static str> {
    let mut columns = HIDDEN.to_vec();
    columns.retain(|column| is_mentioned(tree, column));
    columns
}

fn is_mentioned(tree: &impl Visit, column: &str) -> bool {
    struct Find<'c>(&'c str);
    impl Visitor for Find<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let name = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            match name {
                Some(name) if is_named(name, self.0) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    tree.visit(&mut Find(column)).is_break()
}

fn is_named(name: &Ident, column: &str) -> bool {
    match name.quote_style {
        Some(_) => name.value == column,
        None => name.value.eq_ignore_ascii_case(column),
    }
}

/// Takes hidden columns out of every `*` whose tables include a source.
/// Over several sources `*` and NATURAL JOIN would meet more than one of each,
/// which is an error.
pub(super) fn hide_from_wildcards(
    tree: &mut impl VisitMut,
    hidden: &[&str],
    is_source: &dyn Fn(&ObjectName) -> bool,
) -> Result<()> {
    match tree.visit(&mut Hide { hidden, is_source }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Hide<'a> {
    hidden: &'a [&'a str],
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
                Error::new(format!(
                    "{} of several sources is ambiguous under * and NATURAL JOIN",
                    self.hidden.join(", ")
                ))
                .hint("name the columns, and join with USING or ON"),
            );
        }
        if sources > 0 {
            for item in &mut select.projection {
                if let SelectItem::Wildcard(options) = item {
                    exclude(options, self.hidden);
                }
                if let SelectItem::QualifiedWildcard(_, options) = item
                    && sources == 1
                {
                    exclude(options, self.hidden);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn exclude(options: &mut WildcardAdditionalOptions, hidden: &[&str]) {
    let mut names = match options.opt_exclude.take() {
        None => vec![],
        Some(ExcludeSelectItem::Single(other)) => vec![other],
        Some(ExcludeSelectItem::Multiple(others)) => others,
    };
    names.extend(
        hidden
            .iter()
            .map(|name| ObjectName::from(vec![Ident::new(*name)])),
    );
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
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
