//! Unquoted names of columns match whatever their case when only one does.
//!
//! The planner folds unquoted names to small letters, and then a file's column
//! `CustomerId` could only be named in quotes. Where the folded name fits no
//! column but exactly one fits regardless of case, that one is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, TableAlias, TableFactor, VisitMut, VisitorMut,
};

/// Puts the names of columns that exist in the place of those typed.
pub(super) fn match_columns(tree: &mut impl VisitMut, columns: BTreeSet<String>) {
    if columns.iter().all(|name| *name == name.to_lowercase()) {
        return;
    }
    let mut names = Names {
        defined: columns.clone(),
        ..Names::default()
    };
    let mut ambiguous = BTreeSet::new();
    for name in columns {
        let folded = name.to_lowercase();
        if names.by_folded.insert(folded.clone(), name).is_some() {
            ambiguous.insert(folded);
        }
    }
    names
        .by_folded
        .retain(|folded, _| !ambiguous.contains(folded));
    // What the query itself names comes first, wherever it stands.
    let mut aliases = Aliases(BTreeSet::new());
    let _ = tree.visit(&mut aliases);
    names.defined.extend(aliases.0);
    let _ = tree.visit(&mut names);
}

/// Names that a query gives to columns.
struct Aliases(BTreeSet<String>);

impl Aliases {
    fn add(&mut self, ident: &Ident) {
        self.0.insert(match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        });
    }

    fn columns_of(&mut self, alias: &TableAlias) {
        for column in &alias.columns {
            self.add(&column.name);
        }
    }
}

impl VisitorMut for Aliases {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        for Cte { alias, .. } in ctes {
            self.columns_of(alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.add(alias);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. } = factor
            && let Some(alias) = alias
        {
            self.columns_of(alias);
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Names {
    /// Names that are right as they are.
    defined: BTreeSet<String>,
    by_folded: BTreeMap<String, String>,
}

impl Names {
    fn mend(&self, ident: &mut Ident) {
        let folded = ident.value.to_lowercase();
        if ident.quote_style.is_some() || self.defined.contains(&folded) {
            return;
        }
        if let Some(name) = self.by_folded.get(&folded) {
            ident.value.clone_from(name);
            ident.quote_style = Some('"');
        }
    }

    fn mend_name(&self, name: &mut ObjectName) {
        if let Some(ObjectNamePart::Identifier(ident)) = name.0.last_mut() {
            self.mend(ident);
        }
    }
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.mend(ident),
            Expr::CompoundIdentifier(parts) => {
                // `t.score.r`: any part behind the first may be the column.
                for part in parts.iter_mut().skip(1) {
                    self.mend(part);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let joins = select.from.iter_mut().flat_map(|table| &mut table.joins);
        for join in joins {
            if let JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint) = &mut join.join_operator
                && let JoinConstraint::Using(columns) = constraint
            {
                for column in columns {
                    self.mend_name(column);
                }
            }
        }
        ControlFlow::Continue(())
    }
}
