//! `segql run`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};

use super::arguments::Run;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::output::{Emitter, Format};
use crate::plan::Selection;
use crate::run::{RunReport, RunRequest};
use crate::store::{NodeRecord, NodeStatus, RunRecord};

pub(super) async fn run(settings: &Settings, arguments: &Run) -> Result<()> {
    settings.needed_project()?;
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?.whole();
    let engine = settings.engine()?;
    let moment = engine.moment()?;
    let request = RunRequest {
        selection: Selection {
            selectors: arguments.selectors.clone(),
            exclude: arguments.exclude.clone(),
            // To freeze a view anew is something to do by itself.
            allow_empty: arguments.allow_empty
                || arguments.selectors.is_empty() && !arguments.refreeze.is_empty(),
        },
        dry_run: arguments.dry_run,
        restate: arguments.restate,
        force: arguments.force,
        refreeze: arguments.refreeze.clone(),
        cache: settings.cache && !arguments.no_cache,
        ..RunRequest::default()
    };
    let live = printer.stderr_is_terminal();
    let mut progress = |node: &NodeRecord| {
        if live {
            printer.note(&format!("{} {}", node.status.word(), node.name));
        }
    };
    let report = engine.run(&request, &mut progress).await?;
    if !moment.is_over(engine.now()) {
        printer.note(&format!(
            "the day {} is not over: its snapshots are provisional",
            moment.date()
        ));
    }
    match settings.format {
        Some(Format::Json | Format::Jsonl) => emit_json(&mut emitter, &report.record)?,
        _ if arguments.dry_run => emitter.batch(&planned(&report.record)?)?,
        _ => emitter.batch(&sizes(&report.record)?)?,
    }
    emitter.finish()?;
    if !arguments.dry_run {
        settings.pin(&engine, &report.found);
    }
    conclude(settings, &report, &engine.store().address().to_string())
}

/// Says in a line what came of it; fails when a node did.
fn conclude(settings: &Settings, report: &RunReport, store: &str) -> Result<()> {
    let record = &report.record;
    let count = |status: NodeStatus| {
        record
            .nodes
            .iter()
            .filter(|node| node.status == status)
            .count()
    };
    let (failed, skipped) = (count(NodeStatus::Error), count(NodeStatus::Skipped));
    let done = if count(NodeStatus::Planned) > 0 {
        "to write"
    } else {
        "written"
    };
    settings.printer.note(&format!(
        "as of {}: {} {done}, {} unchanged, {failed} failed, {skipped} skipped in {:.2} s; store {store}",
        record.as_of,
        count(NodeStatus::Success) + count(NodeStatus::Planned),
        count(NodeStatus::Unchanged),
        record.seconds,
    ));
    for note in &report.frozen {
        settings.printer.note(note);
    }
    if let Some(reused) = reused(record) {
        settings.printer.note(&reused);
    }
    if let Some(error) = &report.uncached {
        settings.printer.note(&error.to_string());
    }
    warn(settings, report);
    for (names, error) in by_reason(&report.errors) {
        settings
            .printer
            .report(&error.clone().context(names.join(", ")));
    }
    if let Some(error) = &report.unrecorded {
        return Err(error.clone().context("the run could not be recorded"));
    }
    match failed + skipped {
        0 if report.errors.is_empty() => Ok(()),
        // No segment builds on what could not be frozen.
        0 => Err(Error::new("not all views could be frozen")),
        number => Err(Error::new(format!(
            "{number} of {} segments have no new snapshot",
            record.nodes.len()
        ))),
    }
}

/// What failed for one reason is told of together, in the place of the first.
fn by_reason(errors: &BTreeMap<String, Error>) -> Vec<(Vec<&str>, &Error)> {
    let mut reasons: Vec<(Vec<&str>, &Error)> = vec![];
    for (name, error) in errors {
        let reason = error.to_string();
        match reasons.iter_mut().find(|(_, it)| it.to_string() == reason) {
            Some((names, _)) => names.push(name),
            None => reasons.push((vec![name], error)),
        }
    }
    reasons
}

/// Says what went wrong, or was left out, beside the work itself.
pub(super) fn warn(settings: &Settings, report: &RunReport) {
    for (source, rows) in &report.rejected {
        settings.printer.note(&format!(
            "{source}: {rows} rows are left out; segql.rejects lists them"
        ));
    }
    for warning in &report.warnings {
        settings.printer.error(&format!("warning: {warning}"));
    }
}

/// What was taken from kept states, in a line.
fn reused(record: &RunRecord) -> Option<String> {
    let nodes = record.nodes.iter().filter_map(|node| node.reused.as_ref());
    let all = nodes.chain(&record.reused);
    let (mut kept, mut read, mut rows) = (0, 0, 0);
    for reused in all {
        kept += reused.files_from_state;
        read += reused.files_read;
        rows += reused.rows_saved;
    }
    (kept > 0).then(|| {
        format!(
            "resumed aggregates: {kept} files ({rows} rows) from kept states, {read} files read"
        )
    })
}

/// A line of the table of sizes.
struct Size<'r> {
    name: String,
    kind: &'r str,
    status: &'r str,
    size: Option<i64>,
    seconds: Option<f64>,
}

/// A line a node, and below a segmentation a line a label.
fn lines(record: &RunRecord) -> Vec<Size<'_>> {
    let mut lines = vec![];
    for node in &record.nodes {
        let status = node.status.word();
        lines.push(Size {
            name: node.name.clone(),
            kind: &node.kind,
            status,
            size: node.rows.map(|rows| rows as i64),
            seconds: Some((node.seconds * 1000.0).round() / 1000.0),
        });
        lines.extend(node.labels.iter().map(|(label, size)| Size {
            name: format!("{}:{label}", node.name),
            kind: "label",
            status,
            size: Some(*size as i64),
            seconds: None,
        }));
    }
    lines
}

/// What a dry run would do.
fn planned(record: &RunRecord) -> Result<RecordBatch> {
    let column = |value: &dyn Fn(&NodeRecord) -> Option<String>| {
        let values = record.nodes.iter().map(value);
        (Arc::new(values.collect::<StringArray>()) as _, true)
    };
    let columns: [(&str, (_, bool)); 6] = [
        ("name", column(&|node| Some(node.name.clone()))),
        ("kind", column(&|node| Some(node.kind.clone()))),
        (
            "status",
            column(&|node| Some(node.status.word().to_owned())),
        ),
        (
            "reads",
            column(&|node| (!node.reads.is_empty()).then(|| node.reads.join(", "))),
        ),
        ("writes", column(&|node| node.writes.clone())),
        ("note", column(&|node| node.reason.clone())),
    ];
    let columns = columns.map(|(name, (values, nullable))| (name, values, nullable));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn sizes(record: &RunRecord) -> Result<RecordBatch> {
    let lines = lines(record);
    let names: StringArray = lines.iter().map(|line| Some(&*line.name)).collect();
    let kinds: StringArray = lines.iter().map(|line| Some(line.kind)).collect();
    let statuses: StringArray = lines.iter().map(|line| Some(line.status)).collect();
    let sizes: Int64Array = lines.iter().map(|line| line.size).collect();
    let seconds: Float64Array = lines.iter().map(|line| line.seconds).collect();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("name", Arc::new(names) as _, true),
        ("kind", Arc::new(kinds) as _, true),
        ("status", Arc::new(statuses) as _, true),
        ("size", Arc::new(sizes) as _, true),
        ("seconds", Arc::new(seconds) as _, true),
    ])?)
}

/// The record itself, as it is kept in the store.
fn emit_json(emitter: &mut Emitter, record: &RunRecord) -> Result<()> {
    let text = serde_json::to_string_pretty(record)
        .map_err(|error| Error::new(format!("cannot write the record: {error}")))?;
    emitter.text(&text)
}
