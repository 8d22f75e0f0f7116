//! `segql functions [NAME]`: the reference, from the functions and libraries themselves.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::logical_expr::Documentation;

use super::arguments::Functions;
use super::settings::Settings;
use crate::catalog::{Library, TABLE_FUNCTIONS, TableFunction, libraries};
use crate::error::{Error, Result, suggest};
use crate::output::Emitter;

pub(super) fn run(settings: &Settings, arguments: &Functions) -> Result<()> {
    let all = entries();
    let libraries = libraries()?;
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    match &arguments.name {
        None => emitter.batch(&listed(&all, &libraries)?)?,
        Some(name) => {
            let is_named = |known: &str| known.eq_ignore_ascii_case(name);
            let function = all.iter().find(|it| is_named(&it.name));
            let library = libraries.iter().find(|it| is_named(&it.name));
            let page = match (function, library) {
                (Some(function), None) => page(function),
                // A function and a library may be about the same thing.
                (Some(function), Some(library)) => {
                    format!("{}\n\n{}", page(function), library_page(library)?)
                }
                (None, Some(library)) => library_page(library)?,
                (None, None) => return Err(unknown(name, &all, &libraries)),
            };
            emitter.text(&page)?;
        }
    }
    emitter.finish()
}

/// A line for each function and library.
fn listed(all: &[Entry], libraries: &[Library]) -> Result<RecordBatch> {
    let functions = all.iter().map(|it| {
        let meaning = first_sentence(&it.meaning).to_owned();
        [it.name.clone(), it.call.clone(), meaning]
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
    Ok(RecordBatch::try_from_iter([
        ("name", column(0)),
        ("call", column(1)),
        ("meaning", column(2)),
    ])?)
}

fn unknown(name: &str, all: &[Entry], libraries: &[Library]) -> Error {
    let functions = all.iter().map(|it| it.name.as_str());
    let known = functions.chain(libraries.iter().map(|it| it.name.as_str()));
    Error::usage(format!(
        "segql has no function or library '{name}' of its own"
    ))
    .hint_if(suggest(name, known))
    .hint("segql functions lists them; all of DataFusion's work as well")
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
