//! What is needed: flags, environment, `segql.toml` and defaults put together.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datafusion::arrow::datatypes::Field;

use super::arguments::{Arguments, Command, Step};
use crate::catalog::{Catalog, parameters};
use crate::error::{Error, Result, suggest};
use crate::output::{ColorChoice, Format, Printer};
use crate::project::{Config, Project};
use crate::run::{Engine, Setup};
use crate::session::{MemoryBudget, Resources, Variables, parse_size};
use crate::store::Address;

/// Everything the commands go by.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) printer: Printer,
    pub(super) project: Option<Project>,
    pub(super) resources: Resources,
    pub(super) format: Option<Format>,
    pub(super) output: Option<PathBuf>,
    pub(super) stop_on_error: bool,
    pub(super) timeout: Option<Duration>,
    /// Do runs resume aggregates?
    pub(super) cache: bool,
    pub(super) files: Vec<PathBuf>,
    pub(super) steps: Vec<Step>,
    /// Nothing to run was given and someone sits at the terminal.
    pub(super) is_shell: bool,
    store: Option<Address>,
    as_of: Option<String>,
    time_zone: Option<String>,
    variables: Variables,
}

impl Settings {
    pub(super) fn new(arguments: &Arguments, printer: Printer) -> Result<Self> {
        let common = &arguments.common;
        let project = project(arguments)?;
        let config = project
            .as_ref()
            .map(|project| project.config.clone())
            .unwrap_or_default();
        let memory_limit = common
            .memory_limit
            .as_ref()
            .or(config.memory_limit.as_ref());
        let format = common.format.as_ref().or(config.format.as_ref());
        let mut variables = config.variables()?;
        for parameter in parameters(&config.library)? {
            variables.declare_default(&parameter.name, parameter.default)?;
        }
        for assignment in &common.vars {
            // Where variables are declared, another name is a slip of the pen.
            match project {
                Some(_) => variables.assign_declared(assignment)?,
                None => variables.assign(assignment)?,
            }
        }
        let printer = printer_of(arguments, &config, printer)?;
        let is_script = arguments.command.is_some() || !arguments.steps.is_empty();
        Ok(Self {
            printer,
            resources: Resources {
                memory: match memory_limit {
                    Some(size) => MemoryBudget::Bytes(parse_size(size)?),
                    None => MemoryBudget::Machine,
                },
                watch_process: true,
                threads: common.threads.or(config.threads),
                temp_dir: common.temp_dir.clone().or_else(|| {
                    let own = config.temp_dir.as_ref();
                    own.map(|folder| in_project(project.as_ref(), folder))
                }),
            },
            format: format.map(|name| parse_format(name)).transpose()?,
            output: common.output.clone(),
            stop_on_error: on_error(common.on_error.as_ref().or(config.on_error.as_ref()))?,
            timeout: common
                .timeout
                .as_deref()
                .or(config.timeout.as_deref())
                .map(parse_timeout)
                .transpose()?,
            cache: config.cache.unwrap_or(true),
            files: arguments.files.clone(),
            steps: arguments.steps.clone(),
            is_shell: !is_script && std::io::stdin().is_terminal(),
            store: store(arguments, project.as_ref(), &config)?,
            as_of: match &common.as_of {
                Some(given) => Some(given.clone()),
                None => config.as_of()?,
            },
            time_zone: common.time_zone.clone().or(config.time_zone.clone()),
            variables,
            project,
        })
    }

    /// The project, where a command cannot do without.
    pub(super) fn needed_project(&self) -> Result<&Project> {
        self.project.as_ref().ok_or_else(|| {
            Error::usage("there is no project here: no segql.toml in this folder or above")
                .hint("--project DIR names one; segql init DIR makes one")
        })
    }

    /// Pins the columns that were found; where the project cannot be written to,
    /// that is worth a word, not a failure.
    pub(super) fn pin(&self, engine: &Engine, found: &BTreeMap<String, Vec<Field>>) {
        if let Some(project) = &self.project
            && let Err(error) = project.pin(engine.catalog(), found)
        {
            self.printer
                .note(&format!("types of columns are not pinned: {error}"));
        }
    }

    /// What tidies a store needs one that was there before.
    pub(super) fn needed_store(&self) -> Result<()> {
        match self.store {
            Some(_) => Ok(()),
            None => Err(Error::usage(
                "there is no store here: no segql.toml in this folder or above",
            )
            .hint("--store DIR or --project DIR names one")),
        }
    }

    /// An engine with the project's definitions.
    pub(super) fn engine(&self) -> Result<Engine> {
        let catalog = match &self.project {
            Some(project) => project.load()?,
            None => Catalog::default(),
        };
        self.engine_with(catalog)
    }

    /// An engine with these definitions.
    pub(super) fn engine_with(&self, catalog: Catalog) -> Result<Engine> {
        let setup = Setup {
            catalog,
            resources: self.resources.clone(),
            store: self.store.clone(),
            time_zone: self.time_zone.clone(),
            as_of: self.as_of.clone(),
            variables: self.variables.clone(),
        };
        let mut engine = Engine::new(setup, chrono::Utc::now())?;
        for file in &self.files {
            if !file.exists() {
                return Err(no_such_file(file));
            }
            engine.add_file(file)?;
        }
        Ok(engine)
    }
}

/// A mistyped command looks like a file.
fn no_such_file(file: &std::path::Path) -> Error {
    let name = file.to_string_lossy();
    let commands = [
        "run",
        "replay",
        "check",
        "diff",
        "cache",
        "store",
        "forget",
        "init",
        "functions",
    ];
    if crate::source::looks_like_path(&name) {
        return Error::usage(format!("file '{name}' does not exist"));
    }
    Error::usage(format!("'{name}' is neither a command nor a file"))
        .hint_if(suggest(&name, commands))
        .hint("segql --help shows the commands")
}

fn project(arguments: &Arguments) -> Result<Option<Project>> {
    if matches!(
        arguments.command,
        Some(Command::Init(_) | Command::Functions(_))
    ) {
        return Ok(None);
    }
    match &arguments.common.project {
        Some(folder) => Project::open(folder).map(Some),
        None => Project::find(&std::env::current_dir()?),
    }
}

fn in_project(project: Option<&Project>, path: &Path) -> PathBuf {
    match project {
        Some(project) => project.root.join(path),
        None => path.to_owned(),
    }
}

fn on_error(given: Option<&String>) -> Result<bool> {
    match given.map(String::as_str) {
        None | Some("stop") => Ok(true),
        Some("continue") => Ok(false),
        Some(other) => Err(Error::usage(format!(
            "on_error is 'stop' or 'continue', not '{other}'"
        ))),
    }
}

/// What is not typed may stand in `segql.toml`.
fn printer_of(arguments: &Arguments, config: &Config, typed: Printer) -> Result<Printer> {
    let common = &arguments.common;
    if config.quiet.is_none() && config.color.is_none() {
        return Ok(typed);
    }
    let color = common.color.as_ref().or(config.color.as_ref());
    let color = match color {
        None => ColorChoice::Auto,
        Some(color) => color
            .parse()
            .map_err(|_| Error::usage(format!("color is auto, always or never, not '{color}'")))?,
    };
    let quiet = common.quiet || config.quiet.unwrap_or(false);
    Ok(Printer::new(quiet, color))
}

/// The flag or variable, else the target named, else what `segql.toml` says.
fn store(
    arguments: &Arguments,
    project: Option<&Project>,
    config: &Config,
) -> Result<Option<Address>> {
    if let Some(store) = &arguments.common.store {
        return address(store).map(Some);
    }
    let wanted = arguments.common.target.as_deref();
    let target = config.target.get(wanted.unwrap_or("dev"));
    if let (None, Some(wanted)) = (target, wanted) {
        return Err(Error::usage(format!("segql.toml has no target '{wanted}'"))
            .hint_if(suggest(wanted, config.target.keys().map(String::as_str))));
    }
    let own = config.store.as_deref().filter(|_| wanted.is_none());
    let named = own.or(target.map(|target| target.store.as_str()));
    match (named, project) {
        (Some(named), project) => Ok(Some(match Address::parse(named)? {
            Address::Folder(folder) => in_project(project, &folder).into(),
            bucket => bucket,
        })),
        (None, project) => Ok(project.map(|project| project.root.join("store").into())),
    }
}

/// What was typed; a folder's name need not be text.
fn address(store: &Path) -> Result<Address> {
    match store.to_str() {
        Some(text) => Address::parse(text),
        None => Ok(store.into()),
    }
}

fn parse_format(name: &str) -> Result<Format> {
    name.parse::<Format>()
        .map_err(|error| Error::usage(error.to_string()))
}

fn parse_timeout(text: &str) -> Result<Duration> {
    let wrong = || Error::usage(format!("'{text}' is no time")).hint("write 30s, 10m or 2h");
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let seconds = match unit {
        "m" => 60.0,
        "h" => 3600.0,
        _ => 1.0,
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}
