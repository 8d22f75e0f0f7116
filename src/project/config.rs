//! `segql.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result, Script, Span, suggest};
use crate::session::{Variable, Variables};

/// What `segql.toml` may say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the project.
    #[serde(default)]
    pub name: Option<String>,
    /// Zone in which days are reckoned.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The as-of for every command, when none is given.
    #[serde(default)]
    pub as_of: Option<String>,
    /// Bytes queries may hold.
    #[serde(default)]
    pub memory_limit: Option<String>,
    /// Worker threads.
    #[serde(default)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Where to spill to.
    #[serde(default)]
    pub temp_dir: Option<std::path::PathBuf>,
    /// Format of results.
    #[serde(default)]
    pub format: Option<String>,
    /// Libraries to include.
    #[serde(default)]
    pub library: Vec<String>,
    /// Variables with their defaults.
    #[serde(default)]
    vars: BTreeMap<String, toml::Value>,
    /// Where snapshots go, by name.
    #[serde(default)]
    pub target: BTreeMap<String, Target>,
}

/// A place for snapshots.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The store.
    pub store: String,
}

const KEYS: [&str; 10] = [
    "name",
    "time_zone",
    "as_of",
    "memory_limit",
    "threads",
    "temp_dir",
    "format",
    "library",
    "vars",
    "target",
];

impl Config {
    /// Reads the text of a `segql.toml`; unknown keys are errors.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or("it is no TOML");
            let unknown = message
                .strip_prefix("unknown field `")
                .and_then(|rest| rest.split('`').next());
            let hint = unknown.and_then(|key| suggest(key, KEYS));
            let span = error.span().map(|span| {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count() as u64 + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u64 + 1;
                Span {
                    start: (line, column),
                    end: (line, column + span.len().max(1) as u64),
                }
            });
            let message = match unknown {
                Some(key) => format!("segql.toml has no key '{key}'"),
                None => message.to_owned(),
            };
            Error::usage(message)
                .at(span)
                .within(&Script::new(name, text))
                .hint_if(hint)
        })
    }

    /// The declared variables.
    pub fn variables(&self) -> Result<Variables> {
        let mut variables = Variables::default();
        for (name, value) in &self.vars {
            let value = match value {
                toml::Value::String(text) => Variable::Text(text.clone()),
                toml::Value::Integer(number) => Variable::Number(number.to_string()),
                toml::Value::Float(number) => Variable::Number(number.to_string()),
                toml::Value::Boolean(flag) => Variable::Flag(*flag),
                toml::Value::Datetime(date) if date.time.is_none() => {
                    Variable::Date(date.to_string())
                }
                other => {
                    return Err(Error::usage(format!(
                        "variable '{name}' of segql.toml is {}, which no query can use",
                        other.type_str()
                    ))
                    .hint("a variable is a text, a number, true or false, or a date"));
                }
            };
            variables.declare(name, value);
        }
        Ok(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_named_with_their_place() {
        let error = Config::parse("name = \"shop\"\ntimezone = \"UTC\"\n", "segql.toml")
            .expect_err("no such key");
        let text = error.to_string();
        assert!(text.contains("no key 'timezone'"), "{text}");
        assert!(text.contains("segql.toml:2:1"), "{text}");
        assert!(text.contains("did you mean 'time_zone'?"), "{text}");
    }

    #[test]
    fn variables_have_types() {
        let config = Config::parse("[vars]\nday = 2025-01-01\ndays = 30\n", "t").expect("parses");
        let variables = config.variables().expect("all usable");
        let all: Vec<_> = variables.iter().collect();
        assert_eq!(
            all,
            [
                ("day", "DATE '2025-01-01'".to_owned()),
                ("days", "30".to_owned())
            ]
        );
        let config = Config::parse("[vars]\nlist = [1]\n", "t").expect("parses");
        assert!(config.variables().is_err());
    }
}
