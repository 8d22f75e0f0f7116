//! The shell: reads a statement, runs it, prints what comes of it.
//!
//! A statement runs on a clone of the engine and a runtime of its own. Ctrl-C
//! gives the prompt back at once: what was running is told to stop and left
//! behind, and the engine is still the one from before.

mod commands;
mod helper;
mod history;

use std::sync::Arc;
use std::time::Instant;

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Exit, Result, Script};
use crate::output::{Emitter, Format, Printer};
use crate::run::{COMMAND_LINE, Engine, Outcome};
use crate::statement::{self, Parsed};

use commands::After;
use helper::ShellHelper;

/// A running shell.
struct Shell {
    engine: Engine,
    printer: Printer,
    format: Option<Format>,
    /// Where results go instead of the terminal.
    output: Option<Emitter>,
    timer: bool,
    runtime: Runtime,
    /// Was leaving refused once because definitions would be lost?
    warned: bool,
    /// Texts of definitions that are safe in a file.
    saved: Vec<String>,
}

const STACK_BYTES: usize = 16 << 20;

fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()?)
}

/// Runs a shell until the user leaves.
pub fn run(engine: Engine, printer: Printer, format: Option<Format>) -> Result<()> {
    let mut editor: Editor<ShellHelper, FileHistory> = Editor::with_config(
        Config::builder()
            .completion_type(CompletionType::List)
            .auto_add_history(false)
            .build(),
    )
    .map_err(|error| Error::new(format!("the terminal cannot be used: {error}")))?;
    let helper = ShellHelper::default();
    let words = helper.words();
    editor.set_helper(Some(helper));
    let _ = editor.set_max_history_size(history::MAX_ENTRIES);
    let file = history::file();
    if let Some(file) = &file {
        let _ = editor.load_history(file);
    }
    let mut shell = Shell {
        engine,
        printer,
        format,
        output: None,
        timer: false,
        runtime: runtime()?,
        warned: false,
        saved: vec![],
    };
    printer.note(&format!(
        "segql {}: SQL ends with ; and .help says more",
        env!("CARGO_PKG_VERSION")
    ));
    loop {
        helper::refresh(&words, &shell.engine, shell.runtime.handle());
        match editor.readline("segql> ") {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                let _ = editor.add_history_entry(line.trim());
                if let Some(file) = &file {
                    let _ = editor.append_history(file);
                }
                shell.warned = false;
                if shell.line(&line) == After::Leave && shell.may_leave() {
                    break;
                }
            }
            // Ctrl-C at the prompt drops the line.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) if shell.may_leave() => break,
            Err(ReadlineError::Eof) => {}
            Err(error) => return Err(Error::new(format!("the terminal cannot be read: {error}"))),
        }
    }
    shell.close_output();
    shell.runtime.shutdown_background();
    Ok(())
}

impl Shell {
    /// A line, or several, as typed.
    fn line(&mut self, line: &str) -> After {
        if line.trim_start().starts_with('.') {
            return self.dot_command(line.trim());
        }
        self.script(Arc::new(Script::new("input", line)));
        After::Continue
    }

    /// Statements one after another; stops at the first that fails.
    fn script(&mut self, script: Arc<Script>) -> bool {
        let parsed = match statement::parse(&script) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.printer.report(&error);
                return false;
            }
        };
        for statement in parsed {
            let result = statement.and_then(|statement| self.statement(statement));
            if let Err(error) = result {
                self.printer.report(&error);
                return false;
            }
        }
        true
    }

    fn statement(&mut self, parsed: Parsed) -> Result<()> {
        self.engine.tick(chrono::Utc::now());
        let clock = Instant::now();
        let mut engine = self.engine.clone();
        let mut emitter = match self.output.take() {
            Some(emitter) => emitter,
            None => Emitter::new(self.printer, self.format, None)?,
        };
        let to_file = emitter.is_file();
        let task = self.runtime.spawn(async move {
            let result = match engine.execute(&parsed).await {
                Ok(Outcome::Rows(rows)) => emitter.rows(rows).await.map(|_| None),
                Ok(Outcome::Plan(plan)) => emitter.plan(&plan).map(|()| None),
                Ok(Outcome::Done(message)) => Ok(message),
                Err(error) => Err(error),
            };
            (
                engine,
                emitter,
                result.map_err(|error| error.within(&parsed.script)),
            )
        });
        let waited = self.wait(task);
        if to_file && waited.is_err() {
            let lost = "the file of .output was not completed; results come here again";
            self.printer.note(lost);
        }
        let (engine, emitter, result) = waited?;
        if to_file {
            self.output = Some(emitter);
        }
        let message = result?;
        self.engine = engine;
        if let Some(message) = message {
            self.printer.note(&message);
        }
        if self.timer {
            let seconds = clock.elapsed().as_secs_f64();
            self.printer.note(&format!("{seconds:.3} s"));
        }
        Ok(())
    }

    /// Waits for a task or Ctrl-C. After Ctrl-C the runtime is replaced: one
    /// long batch in a function cannot be interrupted and may hold its thread.
    fn wait<T>(&mut self, task: tokio::task::JoinHandle<T>) -> Result<T> {
        let abort = task.abort_handle();
        let control = Builder::new_current_thread().enable_all().build()?;
        let ended = control.block_on(async {
            tokio::select! {
                ended = task => Some(ended),
                _ = tokio::signal::ctrl_c() => None,
            }
        });
        match ended {
            Some(Ok(value)) => Ok(value),
            Some(Err(_)) => Err(Error::new("the statement ended unexpectedly")),
            None => {
                abort.abort();
                std::mem::replace(&mut self.runtime, runtime()?).shutdown_background();
                Err(Error::new("interrupted").exit(Exit::Interrupted))
            }
        }
    }

    /// Definitions typed in this session that no file holds.
    fn unsaved(&self) -> Vec<String> {
        let all = self.engine.catalog().all();
        all.filter(|it| !it.in_project && it.script.name != COMMAND_LINE)
            .filter(|it| !self.saved.contains(&it.text))
            .map(|it| it.name.clone())
            .collect()
    }

    /// Leaving loses what was defined; says so once.
    fn may_leave(&mut self) -> bool {
        let unsaved = self.unsaved();
        if unsaved.is_empty() || self.warned {
            return true;
        }
        self.warned = true;
        self.printer.error(&format!(
            "these definitions would be lost: {}\n.save FILE keeps them; leave again to go all the same",
            unsaved.join(", ")
        ));
        false
    }

    fn close_output(&mut self) {
        if let Some(Err(error)) = self.output.take().map(Emitter::finish) {
            self.printer.report(&error);
        }
    }
}
