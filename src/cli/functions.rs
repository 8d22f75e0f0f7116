//! `segql functions [NAME]`: the reference, from the functions themselves.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::logical_expr::Documentation;

use super::arguments::Functions;
use super::settings::Settings;
use crate::catalog::{TABLE_FUNCTIONS, TableFunction};
use crate::error::{Error, Result, suggest};
use crate::output::Emitter;

pub(super) fn run(settings: &Settings, arguments: &Functions) -> Result<()> {
    let all = entries();
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    match &arguments.name {
        None => {
            let names = all.iter().map(|it| Some(it.name.as_str()));
            let calls = all.iter().map(|it| Some(it.call.as_str()));
            let first = all.iter().map(|it| Some(first_sentence(&it.meaning)));
            let batch = RecordBatch::try_from_iter([
                ("name", Arc::new(names.collect::<StringArray>()) as _),
                ("call", Arc::new(calls.collect::<StringArray>()) as _),
                ("meaning", Arc::new(first.collect::<StringArray>()) as _),
            ])?;
            emitter.batch(&batch)?;
        }
        Some(name) => {
            let Some(found) = all.iter().find(|it| it.name.eq_ignore_ascii_case(name)) else {
                return Err(
                    Error::usage(format!("segql has no function '{name}' of its own"))
                        .hint_if(suggest(name, all.iter().map(|it| it.name.as_str())))
                        .hint("segql functions lists them; all of DataFusion's work as well"),
                );
            };
            emitter.text(&page(found))?;
        }
    }
    emitter.finish()
}

/// What the reference says of a function.
struct Entry {
    name: String,
    call: String,
    meaning: String,
    arguments: Vec<(String, String)>,
    example: Option<String>,
}

impl Entry {
    fn of(name: &str, docs: Option<&Documentation>) -> Option<Self> {
        let docs = docs?;
        Some(Self {
            name: name.to_owned(),
            call: docs.syntax_example.clone(),
            meaning: docs.description.trim().to_owned(),
            arguments: docs.arguments.clone().unwrap_or_default(),
            example: docs.sql_example.clone(),
        })
    }

    fn of_table(function: &TableFunction) -> Self {
        Self {
            name: function.name.to_owned(),
            call: function.call.to_owned(),
            meaning: function.meaning.to_owned(),
            arguments: vec![],
            example: Some(format!("\n{};", function.example)),
        }
    }
}

/// Our functions, those that give tables among them, by name.
fn entries() -> Vec<Entry> {
    let scalar = segql_udfs::all_scalar();
    let scalar = scalar
        .iter()
        .map(|it| Entry::of(it.name(), it.documentation()));
    let aggregate = segql_udfs::all_aggregate();
    let aggregate = aggregate
        .iter()
        .map(|it| Entry::of(it.name(), it.documentation()));
    let window = segql_udfs::all_window();
    let window = window
        .iter()
        .map(|it| Entry::of(it.name(), it.documentation()));
    let documented = scalar.chain(aggregate).chain(window).flatten();
    let tables = TABLE_FUNCTIONS.iter().map(Entry::of_table);
    let mut all: Vec<Entry> = documented.chain(tables).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn first_sentence(text: &str) -> &str {
    let text = text.trim();
    text.split_once(". ")
        .map_or(text, |(first, _)| first)
        .lines()
        .next()
        .unwrap_or(text)
}

fn page(entry: &Entry) -> String {
    let mut page = format!("{}\n\n  {}\n\n{}\n", entry.name, entry.call, entry.meaning);
    for (argument, meaning) in &entry.arguments {
        let _ = write!(page, "\n  {argument}: {meaning}");
    }
    if let Some(example) = &entry.example {
        let body = example.replace("```sql", "").replace("```", "");
        let _ = write!(page, "\n\nExample:\n{}", body.trim_end());
    }
    page
}
