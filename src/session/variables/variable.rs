//! The value of a variable, its type, and the literal that it is in SQL.

use datafusion::sql::sqlparser::ast::{Array, DataType, Expr, TypedString, Value, ValueWithSpan};
use datafusion::sql::sqlparser::tokenizer::Span as ParserSpan;

use crate::error::{Error, Result};

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
    pub(super) fn guess(text: &str) -> Self {
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
    pub(super) fn retyped(&self, name: &str, text: &str) -> Result<Self> {
        let fits = match self {
            Self::Text(_) => return Ok(Self::Text(text.to_owned())),
            Self::List(declared) => {
                let first = declared.first();
                let retyped = items(text).into_iter().map(|item| match first {
                    Some(like) => like.retyped(name, &item),
                    None => Ok(Self::Text(item)),
                });
                return Ok(Self::List(retyped.collect::<Result<_>>()?));
            }
            Self::Number(_) => is_number(text),
            Self::Flag(_) => text == "true" || text == "false",
            Self::Date(_) => is_date(text),
        };
        match fits {
            true => Ok(Self::guess(text)),
            false => Err(Error::usage(format!(
                "variable '{name}' is declared as {}, and '{text}' is none",
                self.what()
            ))),
        }
    }

    /// From a value of `segql.toml`.
    pub fn from_toml(name: &str, value: &toml::Value) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!(
                "variable '{name}' of segql.toml is {what}, which no query can use"
            ))
            .hint(
                "a variable is a text, a number, true or false, a date, or a list of one of these",
            )
        };
        Ok(match value {
            toml::Value::String(text) => Self::Text(text.clone()),
            toml::Value::Integer(number) => Self::Number(number.to_string()),
            // 4.0 stays 4.0: divided by it 7 is 1.75, by 4 it is 1.
            toml::Value::Float(number) => Self::Number(format!("{number:?}")),
            toml::Value::Boolean(flag) => Self::Flag(*flag),
            toml::Value::Datetime(date) if date.time.is_none() => Self::Date(date.to_string()),
            toml::Value::Array(items) => {
                let items: Vec<Self> = items
                    .iter()
                    .map(|item| Self::from_toml(name, item))
                    .collect::<Result<_>>()?;
                let is_list = |item: &Self| matches!(item, Self::List(_));
                if items.iter().any(is_list) {
                    return Err(wrong("a list of lists"));
                }
                if !items.windows(2).all(|two| two[0].is_like(&two[1])) {
                    return Err(wrong("a list of several types"));
                }
                Self::List(items)
            }
            other => return Err(wrong(other.type_str())),
        })
    }

    /// What it is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date such as 2026-01-31",
            Self::List(_) => "a list",
        }
    }

    /// Is the other of the same type?
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    pub(super) fn literal(&self, span: ParserSpan) -> Expr {
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

/// As SQL writes it.
impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.literal(ParserSpan::empty()))
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
