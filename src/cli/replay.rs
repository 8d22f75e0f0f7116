//! `segql replay`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};

use super::arguments::Replay;
use super::run::warn;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::output::{Emitter, Format};
use crate::plan::Selection;
use crate::run::{Engine, RunReport, RunRequest};
use crate::session::{Every, Moment, dates};
use crate::store::{NodeRecord, NodeStatus, Replayed};

pub(super) async fn run(settings: &Settings, arguments: &Replay) -> Result<()> {
    settings.needed_project()?;
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let engine = settings.engine()?;
    let every: Every = arguments.every.parse()?;
    let first = date(&engine, &arguments.from)?;
    let dates = dates(first, date(&engine, &arguments.to)?, every)?;
    let request = RunRequest {
        selection: Selection {
            selectors: arguments.selectors.clone(),
            exclude: arguments.exclude.clone(),
            allow_empty: arguments.allow_empty,
        },
        dry_run: arguments.dry_run,
        restate: arguments.restate,
        force: arguments.force,
        ..RunRequest::default()
    };
    let live = printer.stderr_is_terminal();
    let mut progress = |date: NaiveDate, node: &NodeRecord| {
        if live {
            printer.note(&format!("{date} {} {}", node.status.word(), node.name));
        }
    };
    let reports = engine.replay(&request, &dates, &mut progress).await?;
    match settings.format {
        Some(Format::Json | Format::Jsonl) => {
            let records: Vec<_> = reports.iter().map(|report| &report.record).collect();
            let text = serde_json::to_string_pretty(&records)
                .map_err(|error| Error::new(format!("cannot write the records: {error}")))?;
            emitter.text(&text)?;
        }
        _ => emitter.batch(&table(&reports)?)?,
    }
    emitter.finish()?;
    if let Some(last) = reports.last().filter(|_| !arguments.dry_run) {
        settings.pin(&engine, &last.found);
    }
    conclude(settings, &reports)
}

/// A date as people write it, for which whole days count.
fn date(engine: &Engine, text: &str) -> Result<NaiveDate> {
    let moment = Moment::parse(text, engine.moment()?.zone(), engine.now())?;
    match moment.is_whole_day() {
        true => Ok(moment.date()),
        false => Err(Error::usage(format!("'{text}' is an instant"))
            .hint("a replay goes from the end of a day to the end of another")),
    }
}

/// A line for each node at each date.
fn table(reports: &[RunReport]) -> Result<RecordBatch> {
    let nodes = || {
        let all = reports.iter().map(|report| &report.record);
        all.flat_map(|record| record.nodes.iter().map(|node| (record.as_of, node)))
    };
    let text = |value: &dyn Fn(&NodeRecord) -> Option<String>| -> ArrayRef {
        Arc::new(
            nodes()
                .map(|(_, node)| value(node))
                .collect::<StringArray>(),
        )
    };
    let days = nodes().map(|(date, _)| date.signed_duration_since(NaiveDate::default()));
    let days: Date32Array = days.map(|days| Some(days.num_days() as i32)).collect();
    let sizes = nodes().map(|(_, node)| node.rows.map(|rows| rows as i64));
    let seconds = nodes().map(|(_, node)| Some((node.seconds * 1000.0).round() / 1000.0));
    let columns: [(&str, ArrayRef); 8] = [
        ("as_of", Arc::new(days)),
        ("name", text(&|node| Some(node.name.clone()))),
        ("kind", text(&|node| Some(node.kind.clone()))),
        ("status", text(&|node| Some(node.status.word().to_owned()))),
        ("size", Arc::new(sizes.collect::<Int64Array>())),
        (
            "how",
            text(&|node| node.replayed.map(Replayed::word).map(str::to_owned)),
        ),
        ("note", text(&note)),
        ("seconds", Arc::new(seconds.collect::<Float64Array>())),
    ];
    let columns = columns.map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

/// Why it did not go as usual, or is not what was there at the date.
fn note(node: &NodeRecord) -> Option<String> {
    let later = || format!("later values of {}", node.timeless.join(", "));
    let reason = node.reason.clone();
    reason.or_else(|| (!node.timeless.is_empty()).then(later))
}

/// Says in a line what came of it; fails when a node did at some date.
fn conclude(settings: &Settings, reports: &[RunReport]) -> Result<()> {
    let printer = settings.printer;
    let all = || reports.iter().flat_map(|report| &report.record.nodes);
    let count = |status: NodeStatus| all().filter(|node| node.status == status).count();
    let (failed, skipped) = (count(NodeStatus::Error), count(NodeStatus::Skipped));
    let seconds: f64 = reports.iter().map(|report| report.record.seconds).sum();
    printer.note(&format!(
        "{} dates: {} written, {} unchanged, {failed} failed, {skipped} skipped in {seconds:.2} s",
        reports.len(),
        count(NodeStatus::Success),
        count(NodeStatus::Unchanged),
    ));
    let timeless: BTreeSet<&str> = all()
        .flat_map(|it| &it.timeless)
        .map(String::as_str)
        .collect();
    if !timeless.is_empty() {
        let names = Vec::from_iter(timeless).join(", ");
        printer.note(&format!(
            "not point in time: {names}: without times, or frozen later, so that later values count"
        ));
    }
    // What is not frozen yet is said at every date.
    let frozen: BTreeSet<&String> = reports.iter().flat_map(|it| &it.frozen).collect();
    frozen.into_iter().for_each(|note| printer.note(note));
    if let Some(report) = reports.last() {
        warn(settings, report);
    }
    let mut dates: BTreeMap<&str, Vec<NaiveDate>> = BTreeMap::new();
    for report in reports {
        for (name, error) in &report.errors {
            let known = dates.entry(name).or_default();
            if known.is_empty() {
                let at = format!("{name} as of {}", report.record.as_of);
                printer.report(&error.clone().context(at));
            }
            known.push(report.record.as_of);
        }
    }
    if let Some(error) = reports.iter().find_map(|report| report.unrecorded.as_ref()) {
        return Err(error.clone().context("a run could not be recorded"));
    }
    match failed + skipped {
        0 => Ok(()),
        number => Err(Error::new(format!(
            "{number} of {} snapshots were not written",
            all().count()
        ))),
    }
}
