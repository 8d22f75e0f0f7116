//! `-c`, `-f` and standard input: statements one after another.

use std::io::Read;
use std::sync::Arc;

use super::arguments::Step;
use super::settings::Settings;
use crate::error::{Error, Exit, Result, Script};
use crate::output::Emitter;
use crate::run::{Engine, Outcome};
use crate::statement;

pub(super) async fn run(settings: Settings) -> Result<()> {
    let scripts = scripts(&settings)?;
    let mut engine = settings.engine()?;
    let mut emitter = Emitter::new(settings.printer, settings.format, settings.output.clone())?;
    let mut failed = false;
    for script in scripts {
        failed |= run_script(&mut engine, &mut emitter, &settings, &Arc::new(script)).await?;
    }
    match failed {
        // What failed was said when it did.
        true => Err(Error::new("some statements failed")),
        false => emitter.finish(),
    }
}

fn scripts(settings: &Settings) -> Result<Vec<Script>> {
    if settings.steps.is_empty() {
        return Ok(vec![stdin()?]);
    }
    settings
        .steps
        .iter()
        .map(|step| match step {
            Step::Sql(text) => Ok(Script::new("-c", text.clone())),
            Step::File(path) if path.as_os_str() == "-" => stdin(),
            Step::File(path) => std::fs::read_to_string(path)
                .map(|text| Script::new(path.display().to_string(), text))
                .map_err(|error| {
                    Error::usage(format!("cannot read '{}': {error}", path.display()))
                }),
        })
        .collect()
}

fn stdin() -> Result<Script> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Error::from(error).context("standard input"))?;
    Ok(Script::new("stdin", text))
}

/// Stops at the first error, or goes on and says at the end that there was one.
async fn run_script(
    engine: &mut Engine,
    emitter: &mut Emitter,
    settings: &Settings,
    script: &Arc<Script>,
) -> Result<bool> {
    let mut failed = false;
    for parsed in statement::parse(script)? {
        let result = match parsed {
            Ok(parsed) => match engine.execute(&parsed).await {
                Ok(Outcome::Rows(rows)) => {
                    let written = emitter.rows(rows).await.map(|_| ());
                    written.map_err(|error| error.within(script))
                }
                Ok(Outcome::Plan(plan)) => emitter.plan(&plan),
                Ok(Outcome::Done(message)) => {
                    if let Some(message) = message {
                        settings.printer.note(&message);
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {}
            Err(error) if settings.stop_on_error || error.exit_class() == Exit::ClosedPipe => {
                return Err(error);
            }
            Err(error) => {
                settings.printer.report(&error);
                failed = true;
            }
        }
    }
    Ok(failed)
}
