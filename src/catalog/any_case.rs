//! Unquoted names of columns match whatever their case when only one does.
//!
//! The planner folds unquoted names to small letters, and then a file's column
//! `CustomerId` could only be named in quotes. Where the folded name fits no
//! column but exactly one fits regardless of case, that one is meant. `t.name` is
//! looked for among the columns of `t` alone. Tables whose columns are not known
//! beforehand (table functions, UNNEST) switch this off.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, OrderByKind, Query,
    Select, SelectItem, TableAlias, TableFactor, VisitMut, VisitorMut,
};

use super::relation_name;

/// Columns by the name of their relation.
pub(super) type Columns = BTreeMap<String, BTreeSet<String>>;

/// Puts the names of columns that exist in the place of those typed.
pub(super) fn match_columns(tree: &mut impl VisitMut, relations: &Columns) {
    let columns: BTreeSet<String> = relations.values().flatten().cloned().collect();
    if columns.iter().all(|name| *name == name.to_lowercase()) {
        return;
    }
    let mut scan = Scan::default();
    if tree.visit(&mut scan).is_break() {
        return;
    }
    let mut names = Names {
        defined: columns.clone(),
        qualified: scan.qualifiers(relations),
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
    // Names that a subquery gives come before columns; those of a query without
    // one are seen by nobody but its ORDER BY.
    match scan.queries > 1 {
        true => names.defined.extend(scan.aliases),
        false => names.order_aliases = scan.aliases,
    }
    let _ = tree.visit(&mut names);
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// What a tree itself names: columns, and relations by their aliases.
#[derive(Default)]
struct Scan {
    aliases: BTreeSet<String>,
    /// Qualifier and relation.
    relations: Vec<(String, String)>,
    queries: usize,
}

impl Scan {
    fn columns_of(&mut self, alias: &TableAlias) {
        let columns = alias.columns.iter().map(|column| folded(&column.name));
        self.aliases.extend(columns);
    }

    /// The columns behind each qualifier; one that stands for two relations has
    /// none.
    fn qualifiers(&self, relations: &Columns) -> Columns {
        let mut found = Columns::new();
        for (qualifier, relation) in &self.relations {
            let times = self
                .relations
                .iter()
                .filter(|(other, _)| other == qualifier)
                .count();
            if let (1, Some(columns)) = (times, relations.get(relation)) {
                found.insert(qualifier.clone(), columns.clone());
            }
        }
        found
    }
}

impl VisitorMut for Scan {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.queries += 1;
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        for Cte { alias, .. } in ctes {
            self.columns_of(alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.aliases.insert(folded(alias));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let last = name.0.last().and_then(ObjectNamePart::as_ident);
                let relation = object_name_to_table_reference(name.clone(), true);
                let qualifier = alias.as_ref().map(|alias| &alias.name).or(last);
                if let (Some(qualifier), Ok(relation)) = (qualifier, relation) {
                    let pair = (folded(qualifier), relation_name(&relation));
                    self.relations.push(pair);
                }
                if let Some(alias) = alias {
                    self.columns_of(alias);
                }
            }
            TableFactor::Derived { alias, .. } => {
                if let Some(alias) = alias {
                    self.columns_of(alias);
                }
            }
            TableFactor::NestedJoin { .. } => {}
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Names {
    /// Names that are right as they are.
    defined: BTreeSet<String>,
    by_folded: BTreeMap<String, String>,
    qualified: Columns,
    /// Names that only ORDER BY may mean.
    order_aliases: BTreeSet<String>,
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

    /// `t.name` among the columns of `t`, where these are known.
    fn mend_qualified(&self, parts: &mut [Ident]) {
        let [qualifier, rest @ ..] = parts else {
            return;
        };
        let Some(columns) = self.qualified.get(&folded(qualifier)) else {
            // `t.score.r`: any part behind the first may be the column.
            return rest.iter_mut().for_each(|part| self.mend(part));
        };
        let Some(column) = rest.first_mut() else {
            return;
        };
        let typed = column.value.to_lowercase();
        if column.quote_style.is_some() || columns.contains(&typed) {
            return;
        }
        let mut fitting = columns.iter().filter(|name| name.to_lowercase() == typed);
        if let (Some(name), None) = (fitting.next(), fitting.next()) {
            column.value.clone_from(name);
            column.quote_style = Some('"');
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

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(by) = &mut order.kind
        {
            for item in by {
                // Quoted, it stays the name that the SELECT list gives.
                if let Expr::Identifier(ident) = &mut item.expr
                    && ident.quote_style.is_none()
                    && self.order_aliases.contains(&ident.value.to_lowercase())
                {
                    ident.value = ident.value.to_lowercase();
                    ident.quote_style = Some('"');
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.mend(ident),
            Expr::CompoundIdentifier(parts) => self.mend_qualified(parts),
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
