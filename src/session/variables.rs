//! `$NAME` in definitions: typed literals, put into the syntax tree.
//!
//! A value never becomes part of a text, so nothing in it can become SQL.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Array, DataType, Expr, TypedString, Value, ValueWithSpan, VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer::Span as ParserSpan;

use crate::error::{Error, Result, Span, suggest};

/// The variables of a session by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variables(BTreeMap<String, Variable>);

/// The value of a variable; its type is that of its first declaration.
#[derive(Debug, Clone, PartialEq)]
pub enum Variable {
    /// Text.
    Text(String),
    /// A number, as written.
    Number(String),
    /// True or false.
    Flag(bool),
    /// A date, `2026-01-31`.
    Date(String),
    /// Several of one type, for `IN ($name)` and `= ANY($name)`.
    List(Vec<Variable>),
}

impl Variable {
    /// What a bare text on the command line means: a number, truth value or
    /// date when it reads as one, else text.
    fn guess(text: &str) -> Self {
        match text {
            "true" => Self::Flag(true),
            "false" => Self::Flag(false),
            _ if text.starts_with('[') && text.ends_with(']') => {
                let items = items(text);
                // One text among them makes all of them texts: 00-950 beside 1234.
                let guessed: Vec<Self> = items.iter().map(|item| Self::guess(item)).collect();
                let alike = guessed.windows(2).all(|two| two[0].is_like(&two[1]));
                Self::List(match alike {
                    true => guessed,
                    false => items.into_iter().map(Self::Text).collect(),
                })
            }
            _ if is_number(text) => Self::Number(text.to_owned()),
            _ if is_date(text) => Self::Date(text.to_owned()),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// The text as a value of this one's type.
    fn retyped(&self, name: &str, text: &str) -> Result<Self> {
        let (fits, what) = match self {
            Self::Text(_) => return Ok(Self::Text(text.to_owned())),
            Self::List(declared) => {
                let first = declared.first();
                let retyped = items(text).into_iter().map(|item| match first {
                    Some(like) => like.retyped(name, &item),
                    None => Ok(Self::Text(item)),
                });
                return Ok(Self::List(retyped.collect::<Result<_>>()?));
            }
            Self::Number(_) => (is_number(text), "a number"),
            Self::Flag(_) => (text == "true" || text == "false", "true or false"),
            Self::Date(_) => (is_date(text), "a date such as 2026-01-31"),
        };
        match fits {
            true => Ok(Self::guess(text)),
            false => Err(Error::usage(format!(
                "variable '{name}' is declared as {what}, and '{text}' is none"
            ))),
        }
    }

    /// Is the other of the same type?
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    fn literal(&self, span: ParserSpan) -> Expr {
        let value = |value| ValueWithSpan { value, span };
        let (negative, number) = match self {
            Self::Number(text) => match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, text.as_str()),
            },
            _ => (false, ""),
        };
        match self {
            Self::Text(text) => Expr::Value(value(Value::SingleQuotedString(text.clone()))),
            Self::Flag(flag) => Expr::Value(value(Value::Boolean(*flag))),
            Self::List(items) => Expr::Array(Array {
                elem: items.iter().map(|item| item.literal(span)).collect(),
                named: false,
            }),
            Self::Date(date) => Expr::TypedString(TypedString {
                data_type: DataType::Date,
                value: value(Value::SingleQuotedString(date.clone())),
                uses_odbc_syntax: false,
            }),
            Self::Number(_) => {
                let number = Expr::Value(value(Value::Number(number.to_owned(), false)));
                match negative {
                    true => Expr::UnaryOp {
                        op: datafusion::sql::sqlparser::ast::UnaryOperator::Minus,
                        expr: Box::new(number),
                    },
                    false => number,
                }
            }
        }
    }
}

/// `PL, BG` and `['PL', "BG"]` alike.
fn items(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let inner = inner.unwrap_or(text);
    let mut items = vec![];
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let quote = rest
            .chars()
            .next()
            .filter(|first| matches!(first, '\'' | '"'));
        let quoted = quote.and_then(|quote| rest[1..].split_once(quote));
        let (item, after) = match quoted {
            Some((item, after)) => (item, after.trim_start().strip_prefix(',').unwrap_or(after)),
            None => {
                let (item, after) = rest.split_once(',').unwrap_or((rest, ""));
                (item.trim(), after)
            }
        };
        if !item.is_empty() || quoted.is_some() {
            items.push(item.to_owned());
        }
        rest = after.trim_start();
    }
    items
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.matches('.').count() <= 1
        && !digits.ends_with('.')
}

fn is_date(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

impl Variables {
    /// Declares a variable with its default.
    pub fn declare(&mut self, name: &str, value: Variable) {
        self.0.insert(name.to_lowercase(), value);
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
        let literal = |value: &Variable| value.literal(ParserSpan::empty()).to_string();
        self.0
            .iter()
            .map(move |(name, value)| (name.as_str(), literal(value)))
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
