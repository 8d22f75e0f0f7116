//! `segql functions [NAME]`: the reference, from the functions themselves.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::logical_expr::Documentation;

use super::arguments::Functions;
use super::settings::Settings;
use crate::error::{Error, Result, suggest};
use crate::output::Emitter;

pub(super) fn run(settings: &Settings, arguments: &Functions) -> Result<()> {
    let all = documented();
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    match &arguments.name {
        None => {
            let names = all.iter().map(|(name, _)| Some(name.as_str()));
            let syntax = all
                .iter()
                .map(|(_, docs)| Some(docs.syntax_example.as_str()));
            let first = all
                .iter()
                .map(|(_, docs)| Some(first_sentence(&docs.description)));
            let batch = RecordBatch::try_from_iter([
                ("name", Arc::new(names.collect::<StringArray>()) as _),
                ("call", Arc::new(syntax.collect::<StringArray>()) as _),
                ("meaning", Arc::new(first.collect::<StringArray>()) as _),
            ])?;
            emitter.batch(&batch)?;
        }
        Some(name) => {
            let found = all
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((name, docs)) = found else {
                return Err(
                    Error::usage(format!("segql has no function '{name}' of its own"))
                        .hint_if(suggest(name, all.iter().map(|(known, _)| known.as_str())))
                        .hint("segql functions lists them; all of DataFusion's work as well"),
                );
            };
            emitter.text(&page(name, docs))?;
        }
    }
    emitter.finish()
}

/// Our functions with their reference, by name.
fn documented() -> Vec<(String, Documentation)> {
    let scalar = segql_udfs::all_scalar();
    let scalar = scalar
        .iter()
        .map(|it| (it.name().to_owned(), it.documentation().cloned()));
    let aggregate = segql_udfs::all_aggregate();
    let aggregate = aggregate
        .iter()
        .map(|it| (it.name().to_owned(), it.documentation().cloned()));
    let window = segql_udfs::all_window();
    let window = window
        .iter()
        .map(|it| (it.name().to_owned(), it.documentation().cloned()));
    let mut all: Vec<_> = scalar
        .chain(aggregate)
        .chain(window)
        .filter_map(|(name, docs)| Some((name, docs?)))
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
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

fn page(name: &str, docs: &Documentation) -> String {
    let mut page = format!(
        "{name}\n\n  {}\n\n{}\n",
        docs.syntax_example,
        docs.description.trim()
    );
    for (argument, meaning) in docs.arguments.iter().flatten() {
        let _ = write!(page, "\n  {argument}: {meaning}");
    }
    if let Some(example) = &docs.sql_example {
        let body = example.replace("```sql", "").replace("```", "");
        let _ = write!(page, "\n\nExample:\n{}", body.trim_end());
    }
    page
}
