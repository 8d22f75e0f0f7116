//! `segql functions [NAME]`: the reference, from the functions and libraries themselves.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::logical_expr::Documentation;

use super::arguments::Functions;
use super::settings::Settings;
use crate::catalog::{Library, libraries};
use crate::error::{Error, Result, suggest};
use crate::output::Emitter;

pub(super) fn run(settings: &Settings, arguments: &Functions) -> Result<()> {
    let all = documented();
    let libraries = libraries()?;
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    match &arguments.name {
        None => {
            let functions = all.iter().map(|(name, docs)| {
                let meaning = first_sentence(&docs.description).to_owned();
                [name.clone(), docs.syntax_example.clone(), meaning]
            });
            let included = libraries.iter().map(|it| {
                let call = format!("INCLUDE LIBRARY {}", it.name);
                [it.name.clone(), call, it.description.clone()]
            });
            let rows: Vec<[String; 3]> = functions.chain(included).collect();
            let column = |index: usize| {
                let values = rows.iter().map(|row| Some(row[index].as_str()));
                Arc::new(values.collect::<StringArray>()) as _
            };
            let batch = RecordBatch::try_from_iter([
                ("name", column(0)),
                ("call", column(1)),
                ("meaning", column(2)),
            ])?;
            emitter.batch(&batch)?;
        }
        Some(name) => {
            let is_named = |known: &str| known.eq_ignore_ascii_case(name);
            let function = all.iter().find(|(known, _)| is_named(known));
            let library = libraries.iter().find(|it| is_named(&it.name));
            let page = match (function, library) {
                (Some((name, docs)), _) => page(name, docs),
                (None, Some(library)) => library_page(library)?,
                (None, None) => return Err(unknown(name, &all, &libraries)),
            };
            emitter.text(&page)?;
        }
    }
    emitter.finish()
}

fn unknown(name: &str, all: &[(String, Documentation)], libraries: &[Library]) -> Error {
    let functions = all.iter().map(|(known, _)| known.as_str());
    let known = functions.chain(libraries.iter().map(|it| it.name.as_str()));
    Error::usage(format!(
        "segql has no function or library '{name}' of its own"
    ))
    .hint_if(suggest(name, known))
    .hint("segql functions lists them; all of DataFusion's work as well")
}

/// What a library is for, what it reads, what can be set, and what it defines.
fn library_page(library: &Library) -> Result<String> {
    let catalog = library.catalog()?;
    let reads: Vec<&str> = library.reads(&catalog).into_iter().collect();
    let mut page = format!(
        "{}\n\n  INCLUDE LIBRARY {}\n\n{}\n\n  reads: {}\n",
        library.name,
        library.name,
        library.description,
        reads.join(", ")
    );
    for parameter in &library.parameters {
        let (name, default) = (&parameter.name, &parameter.default);
        let _ = write!(page, "\n  ${name} = {default}: {}", parameter.about);
    }
    for definition in library.own(&catalog) {
        let (kind, name) = (definition.kind(), &definition.name);
        let about = definition.description.as_deref().unwrap_or_default();
        let _ = write!(page, "\n\n{kind} {name}\n  {}", about.replace('\n', "\n  "));
        let action = definition.create.options.text("action");
        let labels = definition.label_actions();
        for action in action.map(str::to_owned).into_iter().chain(labels) {
            let _ = write!(page, "\n  action: {action}");
        }
    }
    Ok(page)
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
