//! `segql.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result, Script, Span, suggest};
use crate::session::{Variable, Variables};
use crate::statement::OptionValue;

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
    as_of: Option<toml::Value>,
    /// Where snapshots go; comes before the targets.
    #[serde(default)]
    pub store: Option<String>,
    /// After an error in a script: stop or continue.
    #[serde(default)]
    pub on_error: Option<String>,
    /// How long a command may take.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Say nothing but results and errors.
    #[serde(default)]
    pub quiet: Option<bool>,
    /// Colour: auto, always or never.
    #[serde(default)]
    pub color: Option<String>,
    /// Bytes queries may hold.
    #[serde(default)]
    pub memory_limit: Option<String>,
    /// Worker threads.
    #[serde(default)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Where to spill to.
    #[serde(default)]
    pub temp_dir: Option<std::path::PathBuf>,
    /// Does a run keep states of aggregates and resume them?
    #[serde(default)]
    pub cache: Option<bool>,
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
    /// Options of definitions by the files they stand in, by glob.
    #[serde(default)]
    defaults: BTreeMap<String, BTreeMap<String, toml::Value>>,
}

/// A place for snapshots.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The store.
    pub store: String,
}

const KEYS: [&str; 17] = [
    "name",
    "time_zone",
    "as_of",
    "store",
    "on_error",
    "timeout",
    "quiet",
    "color",
    "memory_limit",
    "threads",
    "temp_dir",
    "cache",
    "format",
    "library",
    "vars",
    "target",
    "defaults",
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
                None => in_plain_words(message),
            };
            Error::usage(message)
                .at(span)
                .within(&Script::new(name, text))
                .hint_if(hint)
        })
    }

    /// The options that definitions in a file have when they do not give them
    /// themselves. Of two globs that fit, the longer one counts.
    pub fn defaults_of(&self, file: &str) -> Result<Vec<(String, OptionValue)>> {
        let mut fitting: Vec<_> = vec![];
        for (pattern, options) in &self.defaults {
            let glob = glob::Pattern::new(pattern).map_err(|error| {
                Error::usage(format!("defaults.\"{pattern}\" is no glob: {error}"))
            })?;
            // `*` stays in its folder, `**` goes below.
            let strict = glob::MatchOptions {
                require_literal_separator: true,
                ..glob::MatchOptions::default()
            };
            if glob.matches_with(file, strict) {
                fitting.push((pattern, options));
            }
        }
        fitting.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        let mut defaults: Vec<(String, OptionValue)> = vec![];
        for (name, value) in fitting.into_iter().flat_map(|(_, options)| options) {
            if !defaults.iter().any(|(known, _)| known == name) {
                defaults.push((name.clone(), option_value(name, value)?));
            }
        }
        Ok(defaults)
    }

    /// Fails on a default that no definition has, whether a file has it or not.
    pub fn check_defaults(&self) -> Result<()> {
        let known = crate::catalog::all_options();
        let mut names = self.defaults.values().flat_map(BTreeMap::keys);
        match names.find(|name| !known.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::usage(format!(
                "segql.toml gives a default for '{name}', which no definition has"
            ))
            .hint_if(suggest(name, known))),
        }
    }

    /// The as-of, a text or a date of TOML.
    pub fn as_of(&self) -> Result<Option<String>> {
        match &self.as_of {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone())),
            Some(toml::Value::Datetime(date)) => Ok(Some(date.to_string())),
            Some(other) => Err(Error::usage(format!(
                "as_of in segql.toml is {}, not a date or a text",
                other.type_str()
            ))),
        }
    }

    /// The declared variables.
    pub fn variables(&self) -> Result<Variables> {
        let mut variables = Variables::default();
        for (name, value) in &self.vars {
            let value = Variable::from_toml(name, value)?;
            variables.declare(name, value);
        }
        Ok(variables)
    }
}

/// The reader's words for what it expected.
fn in_plain_words(message: &str) -> String {
    [
        ("struct Target", "a table with store = '…'"),
        ("a nonzero usize", "a number from 1"),
        ("a map", "a table"),
        ("a sequence", "a list"),
        ("integer `0`", "0"),
    ]
    .into_iter()
    .fold(message.to_owned(), |text, (theirs, ours)| {
        text.replace(theirs, ours)
    })
}

fn option_value(name: &str, value: &toml::Value) -> Result<OptionValue> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    };
    let found = match value {
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(text).collect();
            items.map(OptionValue::List)
        }
        value => text(value).map(OptionValue::Text),
    };
    found.ok_or_else(|| {
        Error::usage(format!(
            "the default '{name}' of segql.toml is {}, which no option can be",
            value.type_str()
        ))
    })
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
        for wrong in ["list = [1, 'a']", "list = [[1]]", "at = 10:00:00"] {
            let config = Config::parse(&format!("[vars]\n{wrong}\n"), "t").expect("parses");
            assert!(config.variables().is_err(), "{wrong}");
        }
    }
}
