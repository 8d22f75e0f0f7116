//! `segql check`.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};

use super::arguments::Check;
use super::settings::Settings;
use crate::error::{Error, Exit, Result};
use crate::output::Emitter;
use crate::run::{CheckReport, CheckResult};

pub(super) async fn run(settings: &Settings, arguments: &Check) -> Result<()> {
    settings.needed_project()?;
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    let engine = settings.engine()?;
    let reports = engine.check().await?;
    emitter.batch(&table(&reports)?)?;
    emitter.finish()?;
    let (mut short, mut exit) = (0_u64, Exit::CheckFailed);
    for report in &reports {
        match &report.result {
            CheckResult::Passed => {}
            CheckResult::Violated(_) => short += 1,
            CheckResult::Noted(note) => {
                settings.printer.note(&format!("{}: {note}", report.name));
            }
            CheckResult::Warned(warning) => {
                short += u64::from(arguments.strict);
                settings
                    .printer
                    .error(&format!("warning: {}: {warning}", report.name));
            }
            CheckResult::Failed(error) => {
                short += 1;
                // A rule that was broken is one thing, one that cannot be tried another.
                if error.exit_class() != Exit::CheckFailed {
                    exit = Exit::Failed;
                }
                settings
                    .printer
                    .error(&format!("error: {}: {error}", report.name));
            }
        }
    }
    settings.printer.note(&format!(
        "{} of {} hold",
        reports.len() as u64 - short,
        reports.len()
    ));
    match short {
        0 => Ok(()),
        _ => Err(Error::new(format!("{short} of {} checks fell short", reports.len())).exit(exit)),
    }
}

fn table(reports: &[CheckReport]) -> Result<RecordBatch> {
    let names = reports.iter().map(|it| Some(it.name.as_str()));
    let rules = reports.iter().map(|it| Some(it.rule));
    let results = reports.iter().map(|it| {
        Some(match &it.result {
            CheckResult::Passed => "passed",
            CheckResult::Violated(_) => "violated",
            CheckResult::Failed(_) => "failed",
            CheckResult::Warned(_) => "warning",
            CheckResult::Noted(_) => "note",
        })
    });
    let violations = reports.iter().map(|it| match &it.result {
        CheckResult::Passed => Some(0),
        CheckResult::Violated(rows) => Some(*rows as i64),
        CheckResult::Failed(_) | CheckResult::Warned(_) | CheckResult::Noted(_) => None,
    });
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("name", Arc::new(names.collect::<StringArray>()) as _, true),
        ("rule", Arc::new(rules.collect::<StringArray>()) as _, true),
        (
            "result",
            Arc::new(results.collect::<StringArray>()) as _,
            true,
        ),
        (
            "violations",
            Arc::new(violations.collect::<Int64Array>()) as _,
            true,
        ),
    ])?)
}
