//! `segql store`: check, prune, rename.

use std::sync::Arc;

use clap::{Args, Subcommand};
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};

use super::settings::Settings;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::output::Emitter;
use crate::store::{Condition, Finding, Prune, Removed, Store};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check every file: records, checksums, rows, and what no record names
    Check,
    /// Remove what no longer counts: old versions of restated days, records of runs,
    /// and what runs that were cut off left behind; never a snapshot that counts
    Prune(PruneArguments),
    /// Give a segment's snapshots, versions and records another name
    Rename {
        /// The name they have
        from: String,
        /// The name they get
        to: String,
    },
}

#[derive(Debug, Args)]
struct PruneArguments {
    /// Keep what is younger than 90d, 8w, 24m or 2y, or the newest so many (10)
    #[arg(long, value_name = "TIME|NUMBER")]
    keep: String,

    /// Only versions of this segment; repeatable
    #[arg(long = "segment", value_name = "NAME")]
    segments: Vec<String>,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// What is said when a run at work keeps the store busy.
pub(super) const WAITS: &str = "waiting for a run at work in the store";

pub(super) async fn run(settings: &Settings, arguments: &Arguments) -> Result<()> {
    settings.needed_store()?;
    // Whatever may be wrong with definitions, a store can be looked after.
    let engine = settings.engine_with(Catalog::default())?;
    let store = engine.store();
    if store.address().folder().is_some_and(|it| !it.is_dir()) {
        return Err(
            Error::new(format!("there is no store '{}' yet", store.address()))
                .hint("segql run writes the first snapshots to it"),
        );
    }
    match &arguments.what {
        What::Check => check(settings, store).await,
        What::Prune(arguments) => {
            let prune = Prune {
                keep: arguments.keep.parse()?,
                segments: arguments.segments.clone(),
                dry_run: arguments.dry_run,
            };
            let waits = || settings.printer.note(WAITS);
            let removed = store.prune(&prune, engine.now(), waits).await?;
            show_removed(settings, arguments, &removed)
        }
        What::Rename { from, to } => {
            let waits = || settings.printer.note(WAITS);
            let snapshots = store.rename(from, to, waits).await?;
            settings
                .printer
                .note(&format!("{from} is {to} now: {snapshots} snapshots"));
            settings.printer.note(&format!(
                "its definition in the project has to be renamed as well: a run of '{from}' would begin anew"
            ));
            Ok(())
        }
    }
}

/// A column of texts, of which some may be missing.
pub(super) fn text<'t>(values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// A column of dates.
pub(super) fn dates(values: impl Iterator<Item = Option<chrono::NaiveDate>>) -> ArrayRef {
    let epoch = chrono::NaiveDate::default();
    let days = values.map(|it| it.map(|it| it.signed_duration_since(epoch).num_days() as i32));
    Arc::new(days.collect::<Date32Array>())
}

async fn check(settings: &Settings, store: &Store) -> Result<()> {
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let check = store.check().await?;
    let of = |value: fn(&Finding) -> Option<&str>| text(check.findings.iter().map(value));
    emitter.batch(&RecordBatch::try_from_iter_with_nullable([
        ("condition", of(|it| Some(it.condition.word())), true),
        ("segment", of(|it| it.segment.as_deref()), true),
        (
            "as_of",
            dates(check.findings.iter().map(|it| it.as_of)),
            true,
        ),
        ("file", of(|it| Some(&it.file)), true),
        ("problem", of(|it| Some(&it.problem)), true),
        ("mend", of(|it| Some(&it.mend)), true),
    ])?)?;
    emitter.finish()?;
    let number = |condition: Condition| {
        let all = check.findings.iter();
        all.filter(|it| it.condition == condition).count()
    };
    let damaged = number(Condition::Damaged);
    printer.note(&format!(
        "{} snapshots, {} old versions, {} runs: {damaged} damaged, {} leftovers, {} foreign files; store {}",
        check.snapshots,
        check.versions,
        check.runs,
        number(Condition::Leftover),
        number(Condition::Foreign),
        store.address(),
    ));
    match damaged {
        0 => Ok(()),
        1 => Err(Error::new("1 file of the store is damaged")),
        many => Err(Error::new(format!("{many} files of the store are damaged"))),
    }
}

fn show_removed(
    settings: &Settings,
    arguments: &PruneArguments,
    removed: &[Removed],
) -> Result<()> {
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let of = |value: fn(&Removed) -> Option<&str>| text(removed.iter().map(value));
    let bytes = removed.iter().map(|it| it.bytes as i64);
    emitter.batch(&RecordBatch::try_from_iter_with_nullable([
        ("what", of(|it| Some(it.what)), true),
        ("segment", of(|it| it.segment.as_deref()), true),
        ("as_of", dates(removed.iter().map(|it| it.as_of)), true),
        ("file", of(|it| Some(&it.file)), true),
        ("bytes", Arc::new(bytes.collect::<Int64Array>()) as _, true),
    ])?)?;
    emitter.finish()?;
    let done = match arguments.dry_run {
        true => "would be removed",
        false => "removed",
    };
    let bytes: u64 = removed.iter().map(|it| it.bytes).sum();
    printer.note(&format!(
        "{} files {done} ({:.1} MB)",
        removed.len(),
        bytes as f64 / 1e6
    ));
    Ok(())
}
