//! `segql run`.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};

use super::arguments::Run;
use super::settings::Settings;
use crate::error::{Error, Exit, Result};
use crate::output::{Emitter, Format};
use crate::run::RunRequest;
use crate::store::{NodeRecord, NodeStatus, RunRecord};

pub(super) async fn run(settings: &Settings, arguments: &Run) -> Result<()> {
    settings.needed_project()?;
    let printer = settings.printer;
    let mut emitter = Emitter::new(printer, settings.format, settings.output.clone())?;
    let engine = settings.engine()?;
    let moment = engine.moment()?;
    let request = RunRequest {
        selectors: arguments.selectors.clone(),
        dry_run: arguments.dry_run,
    };
    let live = printer.stderr_is_terminal();
    let mut progress = |node: &NodeRecord| {
        if live {
            printer.note(&format!("{} {}", node.status.word(), node.name));
        }
    };
    let record = match engine.run(&request, &mut progress).await {
        Err(error) if arguments.allow_empty && error.exit_class() == Exit::Usage => {
            printer.note(error.message());
            return Ok(());
        }
        result => result?,
    };
    if !moment.is_over(engine.now()) {
        printer.note(&format!(
            "the day {} is not over: its snapshots are provisional",
            moment.date()
        ));
    }
    match settings.format {
        Some(Format::Json | Format::Jsonl) => emit_json(&mut emitter, &record)?,
        _ => emitter.batch(&sizes(&record)?)?,
    }
    emitter.finish()?;
    conclude(settings, &record, &engine.store().root().display().to_string())
}

/// Says in a line what came of it; fails when a node did.
fn conclude(settings: &Settings, record: &RunRecord, store: &str) -> Result<()> {
    let count = |status: NodeStatus| record.nodes.iter().filter(|node| node.status == status).count();
    let (failed, skipped) = (count(NodeStatus::Error), count(NodeStatus::Skipped));
    settings.printer.note(&format!(
        "as of {}: {} written, {} unchanged, {failed} failed, {skipped} skipped in {:.2} s; store {store}",
        record.as_of,
        count(NodeStatus::Success),
        count(NodeStatus::Unchanged),
        record.seconds,
    ));
    for node in record.nodes.iter().filter(|node| node.status == NodeStatus::Error) {
        let reason = node.reason.as_deref().unwrap_or_default();
        settings.printer.error(&format!("error: {} {}: {reason}", node.kind, node.name));
    }
    match failed + skipped {
        0 => Ok(()),
        number => Err(Error::new(format!(
            "{number} of {} segments have no new snapshot",
            record.nodes.len()
        ))),
    }
}

/// A row a node, and below a segmentation a row a label.
fn sizes(record: &RunRecord) -> Result<RecordBatch> {
    let mut rows: Vec<(String, &str, &str, Option<i64>, Option<f64>)> = vec![];
    for node in &record.nodes {
        rows.push((
            node.name.clone(),
            &node.kind,
            node.status.word(),
            node.rows.map(|rows| rows as i64),
            Some((node.seconds * 1000.0).round() / 1000.0),
        ));
        for (label, size) in &node.labels {
            let name = format!("{}:{label}", node.name);
            rows.push((name, "label", node.status.word(), Some(*size as i64), None));
        }
    }
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("name", Arc::new(rows.iter().map(|row| Some(&*row.0)).collect::<StringArray>()) as _, true),
        ("kind", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>()) as _, true),
        ("status", Arc::new(rows.iter().map(|row| Some(row.2)).collect::<StringArray>()) as _, true),
        ("size", Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>()) as _, true),
        ("seconds", Arc::new(rows.iter().map(|row| row.4).collect::<Float64Array>()) as _, true),
    ])?)
}

/// The record itself, as it is kept in the store.
fn emit_json(emitter: &mut Emitter, record: &RunRecord) -> Result<()> {
    let text = serde_json::to_string_pretty(record)
        .map_err(|error| Error::new(format!("cannot write the record: {error}")))?;
    emitter.text(&text)
}
