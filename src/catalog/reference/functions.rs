//! What is said of functions, from their own documentation.

use datafusion::logical_expr::Documentation;

use super::Entry;
use crate::catalog::table_functions::{TABLE_FUNCTIONS, TableFunction};

/// Our functions, those that give tables among them, by name.
pub(super) fn functions() -> Vec<Entry> {
    let scalar = segql_udfs::all_scalar();
    let scalar = scalar
        .iter()
        .map(|it| entry(it.name(), "function", it.documentation()));
    let aggregate = segql_udfs::all_aggregate();
    let aggregate = aggregate
        .iter()
        .map(|it| entry(it.name(), "aggregate", it.documentation()));
    let window = segql_udfs::all_window();
    let window = window
        .iter()
        .map(|it| entry(it.name(), "window function", it.documentation()));
    let documented = scalar.chain(aggregate).chain(window).flatten();
    let tables = TABLE_FUNCTIONS.iter().map(table_function);
    let mut all: Vec<Entry> = documented.chain(tables).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn entry(name: &str, kind: &'static str, docs: Option<&Documentation>) -> Option<Entry> {
    let docs = docs?;
    let arguments = docs.arguments.iter().flatten();
    let details = arguments.map(|(argument, meaning)| format!("{argument}: {meaning}"));
    Some(Entry {
        name: name.to_owned(),
        kind,
        call: docs.syntax_example.clone(),
        meaning: docs.description.trim().to_owned(),
        details: details.collect(),
        example: docs.sql_example.clone(),
        ..Entry::default()
    })
}

fn table_function(function: &TableFunction) -> Entry {
    Entry {
        name: function.name.to_owned(),
        kind: "table function",
        call: function.call.to_owned(),
        meaning: function.meaning.to_owned(),
        example: Some(format!("{};", function.example)),
        ..Entry::default()
    }
}
