//! Line editing: when a statement is complete, and what Tab offers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use tokio::runtime::Handle;

use super::commands;
use crate::catalog::{SYSTEM_RELATIONS, TABLE_FUNCTIONS};
use crate::run::Engine;
use crate::statement::is_complete;

const KEYWORDS: [&str; 65] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "INNER JOIN",
    "FULL JOIN",
    "ON",
    "USING",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS NULL",
    "IS NOT NULL",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "TRY_CAST",
    "DISTINCT",
    "UNION ALL",
    "EXCEPT",
    "INTERSECT",
    "WITH",
    "OVER",
    "PARTITION BY",
    "FILTER",
    "EXISTS",
    "DATE",
    "TIMESTAMP",
    "INTERVAL",
    "CREATE",
    "OR REPLACE",
    "SOURCE",
    "ENTITY",
    "SEGMENT",
    "SEGMENTATION",
    "CHECK",
    "VIEW",
    "KEY",
    "LABELS",
    "DROP",
    "SHOW",
    "SEGMENTS",
    "TABLES",
    "DESCRIBE",
    "MATERIALIZE",
    "DIFF",
    "FROZEN VIEW",
    "AS OF",
    "SET",
    "EXPLAIN",
    "COPY",
    "VALUES",
];

/// Everything that can be completed.
#[derive(Debug, Default)]
pub(super) struct Words {
    names: BTreeSet<String>,
    columns: BTreeSet<String>,
}

/// The words, as the shell and the editor share them.
pub(super) type SharedWords = Arc<Mutex<Words>>;

/// What rustyline asks while a line is typed.
#[derive(Default)]
pub(super) struct ShellHelper {
    words: SharedWords,
}

impl ShellHelper {
    pub(super) fn words(&self) -> SharedWords {
        Arc::clone(&self.words)
    }
}

/// Learns the names at once and the columns, which have to be looked up, behind
/// the prompt's back.
pub(super) fn refresh(words: &SharedWords, engine: &Engine, runtime: &Handle) {
    let session = engine.session().state();
    let mut names: BTreeSet<String> = engine.catalog().all().map(|it| it.name.clone()).collect();
    names.extend(
        SYSTEM_RELATIONS
            .iter()
            .map(|(name, _)| format!("segql.{name}")),
    );
    names.extend(TABLE_FUNCTIONS.iter().map(|it| format!("{}(", it.name)));
    names.extend(
        session
            .scalar_functions()
            .keys()
            .map(|name| format!("{name}(")),
    );
    names.extend(
        session
            .aggregate_functions()
            .keys()
            .map(|name| format!("{name}(")),
    );
    names.extend(
        session
            .window_functions()
            .keys()
            .map(|name| format!("{name}(")),
    );
    if let Ok(mut words) = words.lock() {
        words.names = names;
    }
    let (words, engine) = (Arc::clone(words), engine.clone());
    runtime.spawn(async move {
        if let Ok(columns) = engine.all_columns().await
            && let Ok(mut words) = words.lock()
        {
            words.columns.extend(columns);
        }
    });
}

impl Completer for ShellHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..position];
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | ':')))
            .map_or(0, |at| {
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let typed = &before[start..];
        if typed.is_empty() {
            return Ok((position, vec![]));
        }
        let lower = typed.to_lowercase();
        if start == 0 && typed.starts_with('.') {
            let fitting = commands::names().filter(|name| name.starts_with(&lower));
            return Ok((0, fitting.map(str::to_owned).collect()));
        }
        let Ok(words) = self.words.lock() else {
            return Ok((position, vec![]));
        };
        // `t.col`: the part behind the dot is a column, unless the whole is a name.
        let column_part = lower
            .rsplit_once('.')
            .map(|(table, column)| (table.len() + 1, column.to_owned()));
        let mut found: BTreeSet<String> = words
            .names
            .iter()
            .chain(&words.columns)
            .filter(|word| word.to_lowercase().starts_with(&lower))
            .cloned()
            .collect();
        if let Some((skip, column)) = column_part {
            let fitting = words
                .columns
                .iter()
                .filter(|word| word.to_lowercase().starts_with(&column));
            found.extend(fitting.map(|word| format!("{}{word}", &typed[..skip])));
        }
        let upper = typed.to_uppercase();
        let as_typed = typed.chars().all(char::is_lowercase);
        found.extend(
            KEYWORDS
                .iter()
                .filter(|word| word.starts_with(&upper))
                .map(|word| {
                    if as_typed {
                        word.to_lowercase()
                    } else {
                        (*word).to_owned()
                    }
                }),
        );
        Ok((start, found.into_iter().collect()))
    }
}

impl Validator for ShellHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let done = input.trim_start().starts_with('.') || is_complete(input);
        Ok(match done {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Highlighter for ShellHelper {}

impl Helper for ShellHelper {}
