//! `WITH (key = value, …)`.

use datafusion::sql::sqlparser::ast::{Expr, SqlOption, UnaryOperator, Value};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::{Error, Result, Span, suggest};

/// The options of a statement, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Options(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    key: String,
    value: OptionValue,
    span: Option<Span>,
    /// Not written in the statement, but given for its folder.
    is_default: bool,
}

impl Entry {
    fn shown(&self) -> (&str, String) {
        let value = match &self.value {
            OptionValue::Text(text) => text.clone(),
            OptionValue::List(items) => items.join(", "),
        };
        (&self.key, value)
    }
}

/// A value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// Text, a number or a truth value, as text.
    Text(String),
    /// `['a', 'b']`.
    List(Vec<String>),
}

impl Options {
    /// Parses `(key = value, …)` if the next word is WITH.
    pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Self> {
        let mut options = Self::default();
        if !parser.parse_keyword(Keyword::WITH) {
            return Ok(options);
        }
        parser.expect_token(&Token::LParen)?;
        while !parser.consume_token(&Token::RParen) {
            let at = Span::from_parser(parser.peek_token().span);
            let key = parser.parse_identifier()?.value.to_lowercase();
            parser.expect_token(&Token::Eq)?;
            let value = value(parser.parse_expr()?).map_err(|error| error.at(at))?;
            if options.get(&key).is_some() {
                return Err(Error::new(format!("option '{key}' is given twice")).at(at));
            }
            options.0.push(Entry {
                key,
                value,
                span: at,
                is_default: false,
            });
            if !parser.consume_token(&Token::Comma) {
                parser.expect_token(&Token::RParen)?;
                break;
            }
        }
        Ok(options)
    }

    /// The options of a statement that DataFusion's parser has read.
    pub(super) fn adopt(parsed: &[SqlOption]) -> Result<Self> {
        let mut options = Self::default();
        for option in parsed {
            let SqlOption::KeyValue { key, value: given } = option else {
                return Err(Error::new(format!("'{option}' is no option")));
            };
            options.0.push(Entry {
                key: key.value.to_lowercase(),
                value: value(given.clone())?,
                span: Span::from_parser(key.span),
                is_default: false,
            });
        }
        Ok(options)
    }

    /// Gives an option that was not written.
    pub fn add_default(&mut self, key: &str, value: OptionValue) {
        if self.get(key).is_none() {
            self.0.push(Entry {
                key: key.to_owned(),
                value,
                span: None,
                is_default: true,
            });
        }
    }

    /// Takes over what another says and this does not.
    pub fn inherit(&mut self, other: &Self) {
        self.take(other.0.iter());
    }

    /// Takes over what holds for a whole folder, and this does not say.
    pub fn inherit_defaults(&mut self, other: &Self) {
        self.take(other.0.iter().filter(|entry| entry.is_default));
    }

    fn take<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        for entry in entries {
            if self.get(&entry.key).is_none() {
                // Its place is in another text.
                let entry = entry.clone();
                self.0.push(Entry {
                    span: None,
                    ..entry
                });
            }
        }
    }

    /// Every option with its value as text, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(Entry::shown)
    }

    /// Those that do not stand in the statement's text.
    pub fn defaults(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter(|it| it.is_default).map(Entry::shown)
    }

    fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// Where an option stands.
    pub fn span(&self, key: &str) -> Option<Span> {
        self.get(key).and_then(|entry| entry.span)
    }

    /// The option as text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.value {
            OptionValue::Text(text) => Some(text),
            OptionValue::List(_) => None,
        }
    }

    /// The option as a list: an array, or a comma list where names with commas
    /// or blanks are quoted as in SQL.
    pub fn list(&self, key: &str) -> Result<Vec<String>> {
        match self.get(key).map(|entry| &entry.value) {
            None => Ok(vec![]),
            Some(OptionValue::List(items)) => Ok(items.clone()),
            Some(OptionValue::Text(text)) => comma_list(text)
                .map_err(|error| error.context(format!("option '{key}'")).at(self.span(key))),
        }
    }

    /// The option as a truth value.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.text(key).map(str::to_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "on" | "1") => Ok(Some(true)),
            Some("false" | "no" | "off" | "0") => Ok(Some(false)),
            Some(other) => Err(Error::new(format!(
                "option '{key}' is true or false, not '{other}'"
            ))
            .at(self.span(key))),
        }
    }

    /// Fails on the first option that is not among those known.
    pub fn check_known(&self, what: &str, known: &[&str]) -> Result<()> {
        match self
            .0
            .iter()
            .find(|entry| !known.contains(&entry.key.as_str()))
        {
            None => Ok(()),
            Some(entry) => Err(Error::new(format!("{what} has no option '{}'", entry.key))
                .at(entry.span)
                .hint_if(suggest(&entry.key, known.iter().copied()))
                .hint(format!("its options are {}", known.join(", ")))),
        }
    }
}

fn value(expr: Expr) -> Result<OptionValue> {
    Ok(match expr {
        Expr::Array(array) => OptionValue::List(
            array
                .elem
                .into_iter()
                .map(|item| match value(item)? {
                    OptionValue::Text(text) => Ok(text),
                    OptionValue::List(_) => Err(Error::new("a list of lists is no option value")),
                })
                .collect::<Result<_>>()?,
        ),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match value(*expr)? {
            OptionValue::Text(text) => OptionValue::Text(format!("-{text}")),
            list => list,
        },
        Expr::Identifier(ident) => OptionValue::Text(ident.value),
        Expr::Value(value) => OptionValue::Text(match value.value {
            Value::Number(text, _) | Value::SingleQuotedString(text) => text,
            Value::DoubleQuotedString(text) => text,
            Value::Boolean(flag) => flag.to_string(),
            other => return Err(not_plain(&other)),
        }),
        other => return Err(not_plain(&other)),
    })
}

fn not_plain(value: &dyn std::fmt::Display) -> Error {
    Error::new(format!(
        "an option takes a text, a number, true, false or a list, not {value}"
    ))
}

/// `a, "b, c", d` → a · b, c · d.
fn comma_list(text: &str) -> Result<Vec<String>> {
    let mut items = vec![];
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (item, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let Some((item, after)) = quoted.split_once('"') else {
                return Err(Error::new(format!("a quote is not closed in '{text}'")));
            };
            (item, after.trim_start().strip_prefix(',').unwrap_or(after))
        } else {
            rest.split_once(',').unwrap_or((rest, ""))
        };
        items.push(item.trim().to_owned());
        rest = after.trim();
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comma_lists_know_quotes() {
        assert_eq!(
            comma_list(r#"a, "b, c" , d"#).expect("parses"),
            ["a", "b, c", "d"]
        );
        assert_eq!(comma_list(" ").expect("parses"), Vec::<String>::new());
        assert!(comma_list(r#"a, "b"#).is_err());
    }
}
