//! `segql cache`: the states of aggregates that runs keep and resume.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::arguments::{Cache, CacheWhat};
use super::settings::Settings;
use crate::error::Result;
use crate::output::Emitter;
use crate::store::{Kept, States};

pub(super) fn run(settings: &Settings, arguments: &Cache) -> Result<()> {
    settings.needed_project()?;
    let engine = settings.engine()?;
    let states = engine.store().states();
    if states.is_none() {
        settings.printer.note(&format!(
            "states are kept in folders only: {} has none",
            engine.store().address()
        ));
    }
    match arguments.what {
        None => list(settings, states.as_ref()),
        Some(CacheWhat::Clear) => states.map_or(Ok(()), |states| clear(settings, &states)),
    }
}

fn list(settings: &Settings, states: Option<&States>) -> Result<()> {
    let output = settings.output.clone();
    let mut emitter = Emitter::new(settings.printer, settings.format, output)?.whole();
    let kept = states.map_or_else(Vec::new, States::list);
    let count = |of: fn(&Kept) -> u64| {
        let values = kept.iter().map(|it| of(it) as i64);
        Arc::new(values.collect::<Int64Array>()) as ArrayRef
    };
    let text = |of: fn(&Kept) -> String| {
        let values = kept.iter().map(|it| Some(of(it)));
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    };
    let used =
        |it: &Kept| DateTime::<Utc>::from(it.used).to_rfc3339_opts(SecondsFormat::Secs, true);
    emitter.batch(&RecordBatch::try_from_iter_with_nullable([
        ("aggregate", text(|it| it.about.clone()), true),
        ("files", count(|it| it.files), true),
        ("input_rows", count(|it| it.input_rows), true),
        ("rows", count(|it| it.rows), true),
        ("bytes", count(|it| it.bytes), true),
        ("used", text(used), true),
    ])?)?;
    emitter.finish()
}

fn clear(settings: &Settings, states: &States) -> Result<()> {
    let cleared = states.clear()?;
    let what = match cleared.states {
        1 => "the state of 1 aggregate".to_owned(),
        many => format!("the states of {many} aggregates"),
    };
    let megabytes = cleared.bytes as f64 / 1e6;
    settings
        .printer
        .note(&format!("removed {what} ({megabytes:.1} MB)"));
    Ok(())
}
