//! `segql forget`.

use std::sync::Arc;

use clap::Args;
use datafusion::arrow::array::{Int64Array, RecordBatch};

use super::settings::Settings;
use super::store::{WAITS, dates, text};
use crate::error::{Error, Result};
use crate::output::Emitter;
use crate::store::{Erased, Forgotten};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The key of whom to forget, as segql.members shows it
    #[arg(allow_hyphen_values = true)]
    key: String,

    /// The entity whose key it is; needed when the project has several
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,

    /// Only say where there is something to erase
    #[arg(long)]
    dry_run: bool,
}

/// What only the one who asks can do.
const SOURCES: &str = "segql reads sources and does not write them: while they hold the person, \
                       new dates and days that are not over will too";

pub(super) async fn run(settings: &Settings, arguments: &Arguments) -> Result<()> {
    settings.needed_store()?;
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let engine = settings.engine()?;
    let entity = arguments.entity.as_deref();
    let done = engine
        .forget(&arguments.key, entity, arguments.dry_run, || {
            printer.note(WAITS);
        })
        .await?;
    emitter.batch(&table(&done)?)?;
    emitter.finish()?;
    for line in told(&done, arguments.dry_run) {
        printer.note(&line);
    }
    for segment in &done.mentioned {
        printer.error(&format!(
            "warning: the definition of {segment} that its records keep, or a variable, has this \
             key in its text"
        ));
    }
    incomplete(&done, arguments.dry_run)
}

fn table(done: &Forgotten) -> Result<RecordBatch> {
    let of = |value: fn(&Erased) -> Option<&str>| text(done.erased.iter().map(value));
    let rows = done.erased.iter().map(|it| it.rows as i64);
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("what", of(|it| Some(it.what)), true),
        ("segment", of(|it| it.segment.as_deref()), true),
        ("as_of", dates(done.erased.iter().map(|it| it.as_of)), true),
        ("file", of(|it| Some(&it.file)), true),
        ("rows", Arc::new(rows.collect::<Int64Array>()) as _, true),
    ])?)
}

fn told(done: &Forgotten, dry_run: bool) -> Vec<String> {
    let rows: u64 = done.erased.iter().map(|it| it.rows).sum();
    let files = done.erased.len();
    let (states, leftovers) = (done.states, done.leftovers);
    let mut lines = vec![match (dry_run, files) {
        (true, 0) => "nothing in the store has this key".to_owned(),
        (true, _) => format!("{rows} rows in {files} files would be erased"),
        (false, 0) => "nothing in the store had this key; every file was looked into".to_owned(),
        (false, _) => {
            format!("{rows} rows in {files} files are erased; looked for again, nothing is left")
        }
    }];
    if states + leftovers > 0 {
        let done = match dry_run {
            true => "would be removed",
            false => "removed",
        };
        lines.push(format!(
            "{states} kept states of aggregates and {leftovers} files of runs that were cut off \
             {done}, whomever they hold"
        ));
    }
    lines.push(SOURCES.to_owned());
    lines
}

/// What could not be erased is a failure, after all the rest was.
fn incomplete(done: &Forgotten, dry_run: bool) -> Result<()> {
    if let Some(first) = done.unread.first() {
        return Err(Error::new(format!(
            "{} files of the store cannot be read, '{first}' among them: whom they hold nobody knows",
            done.unread.len()
        ))
        .hint("segql store check says what is wrong with them"));
    }
    match done.foreign.first() {
        Some(first) if !dry_run => Err(Error::new(format!(
            "{} files in the store that are not segql's hold the person, '{first}' among them",
            done.foreign.len()
        ))
        .hint("segql leaves them alone: remove them, or the person's rows in them")),
        _ => Ok(()),
    }
}
