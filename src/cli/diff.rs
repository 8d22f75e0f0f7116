//! `segql diff`.

use std::sync::Arc;

use super::arguments::Diff;
use super::settings::Settings;
use crate::error::{Error, Exit, Result, Script};
use crate::output::Emitter;
use crate::run::{Compare, DiffSummary, Difference};

pub(super) async fn run(settings: &Settings, arguments: &Diff) -> Result<()> {
    settings.needed_project()?;
    let compare = compare(arguments)?;
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let difference = settings.engine()?.diff(&arguments.name, &compare).await?;
    let summary = match arguments.rows {
        true => {
            emitter.rows(difference.rows().await?).await?;
            None
        }
        false => Some(difference.summary(arguments.limit).await?),
    };
    if let Some(summary) = &summary {
        emitter.batch(&summary.table()?)?;
        printer.note(&in_words(&difference, summary));
        for column in &summary.incomparable {
            printer.note(&format!(
                "column {column} has another type and was not compared"
            ));
        }
    }
    emitter.finish()?;
    if !arguments.exit_code {
        return Ok(());
    }
    let summary = match summary {
        Some(summary) => summary,
        None => difference.summary(0).await?,
    };
    match summary.is_same() {
        true => Ok(()),
        false => Err(Error::new(format!("{} differs", arguments.name)).exit(Exit::CheckFailed)),
    }
}

fn compare(arguments: &Diff) -> Result<Compare> {
    if let Some(text) = &arguments.edited {
        let script = Script::new("--as", text.clone());
        return Ok(Compare::Edited(Arc::new(script)));
    }
    let Some(path) = &arguments.against else {
        return Ok(Compare::Dates {
            from: arguments.from.clone(),
            to: arguments.to.clone(),
        });
    };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("cannot read '{shown}': {error}")))?;
    Ok(Compare::Edited(Arc::new(Script::new(shown, text))))
}

fn in_words(difference: &Difference, summary: &DiffSummary) -> String {
    let count = |change| summary.count(change);
    format!(
        "{}: {} ({}) → {} ({}): {} entered, {} left, {} moved, {} stayed",
        difference.name,
        count("before"),
        difference.from,
        count("after"),
        difference.to,
        count("entered"),
        count("left"),
        count("moved"),
        count("stayed"),
    )
}
