//! The command line: arguments (what was typed) → settings (what is needed) →
//! one file per command, each returning how the process ends.

mod arguments;
mod cache;
mod check;
mod diff;
mod forget;
mod functions;
mod init;
mod replay;
mod run;
mod script;
mod settings;
mod store;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::error::{Error, Exit, Result};
use crate::output::{ColorChoice, Format, Printer};
use crate::run::Engine;

use arguments::{Arguments, Command};
use settings::Settings;

/// Stack of worker threads: deep plans, and conditions of thousands of terms, are
/// walked recursively. Only what is used of it is ever taken from the machine.
const STACK_BYTES: usize = 256 << 20;

/// The shell, for when nothing else was asked for.
pub type Shell = fn(Engine, Printer, Option<Format>) -> Result<()>;

/// Runs the program with the process's arguments.
pub fn main(shell: Shell) -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let color = arguments.common.color.as_deref().unwrap_or_default();
    let color = color.parse().unwrap_or(ColorChoice::Auto);
    let printer = Printer::new(arguments.common.quiet, color);
    let code = match dispatch(arguments, printer, shell) {
        Ok(()) => 0,
        Err(error) => {
            printer.report(&error);
            error.exit_class().code()
        }
    };
    ExitCode::from(code)
}

fn dispatch(arguments: Arguments, printer: Printer, shell: Shell) -> Result<()> {
    let settings = Settings::new(&arguments, printer)?;
    if settings.is_shell {
        return shell(settings.engine()?, settings.printer, settings.format);
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().thread_stack_size(STACK_BYTES);
    if let Some(threads) = settings.resources.threads {
        runtime.worker_threads(threads.get());
    }
    let runtime = runtime.build()?;
    let timeout = settings.timeout;
    // On a thread of its own: one that computes without a pause would not hear
    // of Ctrl-C or the clock.
    let work = runtime.spawn(async move {
        match arguments.command {
            Some(Command::Run(run)) => run::run(&settings, &run).await,
            Some(Command::Replay(replay)) => replay::run(&settings, &replay).await,
            Some(Command::Check(check)) => check::run(&settings, &check).await,
            Some(Command::Diff(diff)) => diff::run(&settings, &diff).await,
            Some(Command::Cache(arguments)) => cache::run(&settings, &arguments),
            Some(Command::Store(arguments)) => store::run(&settings, &arguments).await,
            Some(Command::Forget(forget)) => forget::run(&settings, &forget).await,
            Some(Command::Init(init)) => init::run(&settings, &init).await,
            Some(Command::Functions(functions)) => functions::run(&settings, &functions),
            None => script::run(settings).await,
        }
    });
    // The clock and signals are watched by a thread that computes nothing.
    let watch = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = watch.block_on(limited(timeout, work));
    // What still computes is left behind. Threads that end at once are waited for: to let go
    // of one at the very moment it ends has crashed in the system's library.
    runtime.shutdown_timeout(ENDING);
    result
}

/// How long threads without work take to end, and more.
const ENDING: Duration = Duration::from_millis(50);

/// How long work that was told to stop may take to remove what it had begun.
const CLEAN_UP: Duration = Duration::from_millis(500);

/// Ends work early at Ctrl-C or when its time is over.
async fn limited(timeout: Option<Duration>, mut work: JoinHandle<Result<()>>) -> Result<()> {
    let over = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let error = tokio::select! {
        result = &mut work => {
            return result.unwrap_or_else(|_| Err(Error::new("the work ended unexpectedly")));
        }
        _ = tokio::signal::ctrl_c() => Error::new("interrupted").exit(Exit::Interrupted),
        () = over => Error::new(format!(
            "not done after {} seconds",
            timeout.unwrap_or_default().as_secs_f64()
        ))
        .exit(Exit::TimedOut)
        .hint("--timeout gives it more time"),
    };
    work.abort();
    let _ = tokio::time::timeout(CLEAN_UP, work).await;
    Err(error)
}

impl Arguments {
    /// Parses; on `--help` and on mistakes says the exit code at once.
    fn parse(arguments: impl Iterator<Item = OsString>) -> std::result::Result<Self, ExitCode> {
        Self::from_typed(arguments).map_err(|error| {
            // A closed pipe is no reason to fail.
            let _ = error.print();
            ExitCode::from(error.exit_code() as u8)
        })
    }
}
