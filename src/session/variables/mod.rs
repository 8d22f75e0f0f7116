//! `$NAME` in definitions: typed literals, put into the syntax tree.
//!
//! A value never becomes part of a text, so nothing in it can become SQL.

mod variable;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Value, ValueWithSpan, VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Span as ParserSpan;

use crate::error::{Error, Result, Span, suggest};

pub use variable::Variable;

/// The variables of a session by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variables(BTreeMap<String, Variable>);

impl Variables {
    /// Declares a variable with its default.
    pub fn declare(&mut self, name: &str, value: Variable) {
        self.0.insert(name.to_lowercase(), value);
    }

    /// Declares a variable where nobody has; a value that was given is of its type.
    pub fn declare_default(&mut self, name: &str, value: Variable) -> Result<()> {
        match self.0.get(name) {
            None => self.declare(name, value),
            Some(given) if given.is_like(&value) => {}
            Some(given) => {
                return Err(Error::usage(format!(
                    "variable '{name}' of the library is {}, and {} is {}",
                    value.what(),
                    given,
                    given.what()
                )));
            }
        }
        Ok(())
    }

    /// Sets `NAME=VALUE`; a declared variable keeps its type.
    pub fn assign(&mut self, assignment: &str) -> Result<()> {
        let Some((name, text)) = assignment.split_once('=') else {
            return Err(Error::usage(format!("'{assignment}' is not NAME=VALUE")));
        };
        let name = name.trim().to_lowercase();
        let valid = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !valid {
            return Err(Error::usage(format!("'{name}' is no name for a variable")));
        }
        let value = match self.0.get(&name) {
            Some(declared) => declared.retyped(&name, text)?,
            None => Variable::guess(text),
        };
        self.0.insert(name, value);
        Ok(())
    }

    /// Sets `NAME=VALUE` of a variable that is declared.
    pub fn assign_declared(&mut self, assignment: &str) -> Result<()> {
        let name = assignment
            .split('=')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        if !self.0.contains_key(&name) && assignment.contains('=') {
            return Err(
                Error::usage(format!("the project declares no variable '{name}'"))
                    .hint_if(suggest(&name, self.0.keys().map(String::as_str)))
                    .hint("[vars] in segql.toml declares variables with their defaults"),
            );
        }
        self.assign(assignment)
    }

    /// Puts the values in the place of `$name` everywhere in a syntax tree.
    /// A name that is not known stays an error with its place.
    pub fn put_into<T: VisitMut>(&self, tree: &mut T) -> Result<()> {
        self.put_lists_into(tree);
        let flow = visit_expressions_mut(tree, |expr| {
            let Expr::Value(ValueWithSpan {
                value: Value::Placeholder(name),
                span,
            }) = expr
            else {
                return ControlFlow::Continue(());
            };
            let bare = name.trim_start_matches('$').to_lowercase();
            // `$1` belongs to prepared statements and macros.
            if bare.starts_with(|c: char| c.is_ascii_digit()) {
                return ControlFlow::Continue(());
            }
            match self.0.get(&bare) {
                Some(variable) => {
                    *expr = variable.literal(*span);
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(self.unknown(&bare, Span::from_parser(*span))),
            }
        });
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// `x IN ($names)` compares with each of a list, not with the list.
    fn put_lists_into<T: VisitMut>(&self, tree: &mut T) {
        let _ = visit_expressions_mut(tree, |expr| {
            let Expr::InList { list, negated, .. } = expr else {
                return ControlFlow::<()>::Continue(());
            };
            let negated = *negated;
            let mut is_list = false;
            *list = std::mem::take(list)
                .into_iter()
                .flat_map(|item| match self.list_of(&item) {
                    Some(items) => {
                        is_list = true;
                        items
                    }
                    None => vec![item],
                })
                .collect();
            // Nothing is in an empty list.
            if is_list && list.is_empty() {
                *expr = Variable::Flag(negated).literal(ParserSpan::empty());
            }
            ControlFlow::Continue(())
        });
    }

    fn list_of(&self, item: &Expr) -> Option<Vec<Expr>> {
        let Expr::Value(ValueWithSpan {
            value: Value::Placeholder(name),
            span,
        }) = item
        else {
            return None;
        };
        match self.0.get(&name.trim_start_matches('$').to_lowercase()) {
            Some(Variable::List(items)) => {
                Some(items.iter().map(|item| item.literal(*span)).collect())
            }
            _ => None,
        }
    }

    fn unknown(&self, name: &str, span: Option<Span>) -> Error {
        Error::new(format!("variable '${name}' has no value"))
            .at(span)
            .hint_if(suggest(name, self.0.keys().map(String::as_str)))
            .hint(format!(
                "declare it in [vars] of segql.toml, or, without a project, give --var {name}=…"
            ))
    }

    /// Names and values as SQL writes them, in order: `1` and `'1'` differ.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        let all = self.0.iter();
        all.map(|(name, value)| (name.as_str(), value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn replaced(sql: &str, variables: &Variables) -> Result<String> {
        let mut tree = Parser::parse_sql(&GenericDialect {}, sql)?;
        variables.put_into(&mut tree)?;
        Ok(tree[0].to_string())
    }

    #[test]
    fn values_are_literals_of_their_type() {
        let mut variables = Variables::default();
        for assignment in [
            "days=-30",
            "country=PL'; DROP",
            "since=2025-01-01",
            "on=true",
        ] {
            variables.assign(assignment).expect("assigns");
        }
        assert_eq!(
            replaced("SELECT $days, $Country, $since, $on", &variables).expect("replaces"),
            "SELECT -30, 'PL''; DROP', DATE '2025-01-01', true"
        );
        let error = replaced("SELECT $dayz", &variables).expect_err("no such variable");
        assert!(error.to_string().contains("'days'"), "{error}");
    }

    #[test]
    fn lists_are_compared_item_by_item() {
        let mut variables = Variables::default();
        let text = |text: &str| Variable::Text(text.into());
        variables.declare("codes", Variable::List(vec![text("PL")]));
        variables.declare("none", Variable::List(vec![]));
        for assignment in ["codes=PL, '00,950',12", "days=[7,30]", "mixed=['7', x]"] {
            variables.assign(assignment).expect("assigns");
        }
        assert_eq!(
            replaced(
                "SELECT a IN ($codes), b NOT IN ($days, 60), c = ANY($mixed), d IN ($none)",
                &variables
            )
            .expect("replaces"),
            "SELECT a IN ('PL', '00,950', '12'), b NOT IN (7, 30, 60), c = ANY(['7', 'x']), false"
        );
    }

    #[test]
    fn a_declared_type_stays() {
        let mut variables = Variables::default();
        variables.declare("zip", Variable::Text("00-950".into()));
        variables.declare("days", Variable::Number("30".into()));
        variables.assign("zip=123").expect("assigns");
        assert_eq!(
            replaced("SELECT $zip", &variables).expect("replaces"),
            "SELECT '123'"
        );
        assert!(variables.assign("days=many").is_err());
        assert!(variables.assign("days").is_err());
    }
}
