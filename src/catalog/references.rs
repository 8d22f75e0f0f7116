//! Which relations a syntax tree mentions, and where.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, ObjectName, Query, Spanned, TableFactor, Visit,
    Visitor,
};

use super::table_functions::{Reach, TableFunction, find};
use crate::error::{Result, Span};
use crate::statement::Name;

/// A mention of a relation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name, folded to small letters unless quoted.
    pub name: String,
    /// Line and column of the first mention, then of its end.
    pub place: Option<(u64, u64, u64, u64)>,
    /// How often it is mentioned.
    pub times: usize,
    /// Named in a text given to a table function, `members('vip')`: then it may
    /// be something else.
    pub by_text: bool,
    /// Named in `previous_members('vip')`: what it was, not what it is.
    pub previous: bool,
    /// The name of a table function that looks at more than it names.
    pub reach: Reach,
    /// Read by a table function under a name of its own: missed when it is used.
    pub by_function: bool,
}

impl Reference {
    /// A single mention without a place.
    pub fn to(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            place: None,
            times: 1,
            by_text: false,
            previous: false,
            reach: Reach::Named,
            by_function: false,
        }
    }

    /// The mention of a name as it was written.
    pub fn to_name(name: &Name) -> Self {
        Self {
            place: name
                .span
                .map(|span| (span.start.0, span.start.1, span.end.0, span.end.1)),
            ..Self::to(&name.text)
        }
    }

    /// Where it stands.
    pub fn span(&self) -> Option<Span> {
        self.place.map(|(line, column, end_line, end_column)| Span {
            start: (line, column),
            end: (end_line, end_column),
        })
    }
}

/// The name of a relation as the catalog knows it.
pub fn relation_name(reference: &TableReference) -> String {
    match reference {
        TableReference::Bare { table } => table.to_string(),
        TableReference::Partial { schema, table } if &**schema == "public" => table.to_string(),
        TableReference::Partial { schema, table } => format!("{schema}.{table}"),
        TableReference::Full { schema, table, .. } => format!("{schema}.{table}"),
    }
}

/// Mentions in a query, names of CTEs left out.
pub(super) fn of_query(query: &Query) -> Result<Vec<Reference>> {
    of_statement(&SqlStatement::Statement(Box::new(ast::Statement::Query(
        Box::new(query.clone()),
    ))))
}

/// Mentions in any statement, names of CTEs left out.
pub fn of_statement(statement: &SqlStatement) -> Result<Vec<Reference>> {
    let (tables, _) = resolve_table_references(statement, true)?;
    let mut mentions = Mentions::default();
    match statement {
        SqlStatement::Statement(inner) => {
            let _ = inner.visit(&mut mentions);
        }
        SqlStatement::CopyTo(copy) => {
            if let datafusion::sql::parser::CopyToSource::Query(query) = &copy.source {
                let _ = query.visit(&mut mentions);
            }
        }
        SqlStatement::Explain(explain) => return of_statement(&explain.statement),
        _ => {}
    }
    let mut found: Vec<Reference> = tables
        .iter()
        .map(relation_name)
        .filter(|name| !mentions.functions.contains(name))
        .map(|name| Reference {
            place: mentions.place(&name),
            times: mentions.times(&name),
            ..Reference::to(name)
        })
        .collect();
    found.extend(mentions.far_reaching());
    found.extend(mentions.read_by_functions());
    found.extend(
        mentions
            .texts
            .into_iter()
            .map(|(name, previous)| Reference {
                by_text: true,
                previous,
                ..Reference::to(name)
            }),
    );
    found.sort();
    found.dedup();
    Ok(found)
}

/// A table function among these calls that definitions may not make: what it looks
/// at depends on what else is defined and on what the store holds.
pub(super) fn refused_call(tree: &impl Visit) -> Option<&'static TableFunction> {
    let mut mentions = Mentions::default();
    let _ = tree.visit(&mut mentions);
    let mut called = mentions.functions.iter().filter_map(|name| find(name));
    called.find(|function| !function.in_definitions)
}

/// Where a sample of a table is taken, which would be another every time.
pub(super) fn sample(query: &Query) -> Option<Span> {
    struct Find;
    impl Visitor for Find {
        type Break = Option<Span>;
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Option<Span>> {
            match factor {
                TableFactor::Table {
                    name,
                    sample: Some(_),
                    ..
                } => ControlFlow::Break(Span::from_parser(name.span())),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match query.visit(&mut Find) {
        ControlFlow::Break(span) => span,
        ControlFlow::Continue(()) => None,
    }
}

/// Names of the functions that an expression or query calls, in small letters.
pub(super) fn calls(tree: &impl Visit) -> BTreeSet<String> {
    struct Calls(BTreeSet<String>);
    impl Visitor for Calls {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Function(call) = expr {
                self.0.insert(call.name.to_string().to_lowercase());
            }
            ControlFlow::Continue(())
        }
    }
    let mut calls = Calls(BTreeSet::new());
    let _ = tree.visit(&mut calls);
    calls.0
}

#[derive(Default)]
struct Mentions {
    places: Vec<(String, (u64, u64, u64, u64))>,
    functions: BTreeSet<String>,
    /// Texts given to table functions, and whether to `previous_members`.
    texts: BTreeSet<(String, bool)>,
}

impl Mentions {
    /// Table functions that look at more than they name.
    fn far_reaching(&self) -> impl Iterator<Item = Reference> {
        let known = self.functions.iter().filter_map(|name| find(name));
        let far = known.filter(|function| function.reach != Reach::Named);
        far.map(|function| Reference {
            by_text: true,
            reach: function.reach,
            ..Reference::to(function.name)
        })
    }

    /// Views of a project that table functions read.
    fn read_by_functions(&self) -> impl Iterator<Item = Reference> {
        let known = self.functions.iter().filter_map(|name| find(name));
        let read: BTreeSet<&str> = known.flat_map(|function| function.reads).copied().collect();
        read.into_iter().map(|view| Reference {
            by_function: true,
            ..Reference::to(view)
        })
    }

    fn place(&self, name: &str) -> Option<(u64, u64, u64, u64)> {
        let found = self.places.iter().find(|(known, _)| known == name);
        found.map(|(_, place)| *place)
    }

    fn times(&self, name: &str) -> usize {
        self.places
            .iter()
            .filter(|(known, _)| known == name)
            .count()
            .max(1)
    }

    fn name(name: &ObjectName) -> Option<String> {
        object_name_to_table_reference(name.clone(), true)
            .ok()
            .map(|reference| relation_name(&reference))
    }

    fn call(&mut self, name: &ObjectName, args: &[FunctionArg]) {
        let function = Self::name(name);
        let previous = function.as_deref() == Some("previous_members");
        self.functions.extend(function);
        for arg in args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) = arg
                && let Some(text) = value.value.clone().into_string()
            {
                self.texts.insert((text, previous));
            }
        }
    }
}

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if let (Some(name), Some(span)) = (Self::name(relation), Span::from_parser(relation.span()))
        {
            let place = (span.start.0, span.start.1, span.end.0, span.end.1);
            self.places.push((name, place));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name,
                args: Some(args),
                ..
            } => self.call(name, &args.args),
            TableFactor::Function { name, args, .. } => self.call(name, args),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::Script;
    use crate::statement::{Statement, parse};

    fn names(sql: &str) -> Vec<String> {
        let script = Arc::new(Script::new("t", sql));
        let parsed = parse(&script).expect("splits").remove(0).expect("parses");
        let Statement::Sql(statement) = parsed.statement else {
            panic!("a plain statement");
        };
        let found = of_statement(&statement).expect("resolves");
        found.into_iter().map(|reference| reference.name).collect()
    }

    #[test]
    fn ctes_and_functions_are_not_relations() {
        assert_eq!(
            names(
                "WITH a AS (SELECT * FROM Orders) SELECT * FROM a, \"rfm:Top\", generate_series(1, 2)
                 WHERE id IN (SELECT id FROM members('vip'))"
            ),
            ["orders", "rfm:Top", "vip"]
        );
    }
}
