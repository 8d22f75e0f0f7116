//! All rooms put together: a session, its definitions, its store, its as-of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use datafusion::common::TableReference;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::incremental::Reuse;
use crate::catalog::{
    Binder, Catalog, Definition, Evaluation, Graph, Inputs, Reference, SharedTables, SourceCache,
    TABLE_FUNCTIONS, World,
};
use crate::error::{Error, Result, Script, suggest};
use crate::exec::ExecSettings;
use crate::session::{self, MemoryWatch, Moment, Resources, Variables, parse_zone};
use crate::statement::{Kind, SqlStatement};
use crate::store::{Address, Store};

/// What messages call the list of files on the command line.
pub const COMMAND_LINE: &str = "command line";

/// What an engine is made from.
#[derive(Debug, Default)]
pub struct Setup {
    /// The definitions to begin with.
    pub catalog: Catalog,
    /// What it may use of the machine.
    pub resources: Resources,
    /// Where snapshots go; none for a store that ends with the engine.
    pub store: Option<Address>,
    /// Zone in which days are reckoned; none for UTC.
    pub time_zone: Option<String>,
    /// As of when; none for now.
    pub as_of: Option<String>,
    /// Values of `$name`.
    pub variables: Variables,
}

/// Runs statements and projects. A clone is cheap and goes its own way from
/// then on, so a shell can drop what an interrupted statement left behind.
#[derive(Clone)]
pub struct Engine {
    pub(super) session: SessionContext,
    pub(super) catalog: Catalog,
    pub(super) store: Arc<Store>,
    pub(super) cache: Arc<SourceCache>,
    pub(super) temp_dir: Option<PathBuf>,
    /// Over what the process holds, where that is limited.
    pub(super) memory: Option<MemoryWatch>,
    /// States of aggregates, where a run uses them.
    pub(super) reuse: Option<Arc<Reuse>>,
    variables: Variables,
    zone: Tz,
    as_of: Option<String>,
    now: DateTime<Utc>,
}

impl Engine {
    /// Builds an engine; `now` is the clock it goes by until [`Self::tick`].
    pub fn new(setup: Setup, now: DateTime<Utc>) -> Result<Self> {
        let zone = parse_zone(setup.time_zone.as_deref().unwrap_or("UTC"))?;
        let store = match &setup.store {
            Some(address) => Store::open(address.clone())?,
            None => Store::temporary(setup.resources.temp_dir.as_deref())?,
        };
        let (session, memory) = session::build(&setup.resources, zone)?;
        if let Some((url, objects)) = store.bucket() {
            session.register_object_store(url.as_ref(), objects);
        }
        let mut engine = Self {
            session,
            memory,
            catalog: setup.catalog,
            store: Arc::new(store),
            cache: Arc::default(),
            temp_dir: setup.resources.temp_dir.clone(),
            reuse: None,
            variables: setup.variables,
            zone,
            as_of: setup.as_of,
            now,
        };
        engine.moment()?;
        engine.declare_parameters()?;
        for function in engine.catalog.of_kind(Kind::Function) {
            engine.check_function_name(function)?;
        }
        Ok(engine)
    }

    /// The definitions.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The session of DataFusion.
    pub fn session(&self) -> &SessionContext {
        &self.session
    }

    /// The same engine for plans that are to run on one core, next to others.
    pub(super) fn on_one_core(&self) -> Self {
        self.with_session(session::on_one_core(&self.session))
    }

    /// The same engine with another session.
    pub(super) fn with_session(&self, session: SessionContext) -> Self {
        Self {
            session,
            ..self.clone()
        }
    }

    /// The clock it goes by.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Sets the clock: a shell does so before every statement.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// The as-of that holds.
    pub fn moment(&self) -> Result<Moment> {
        match &self.as_of {
            Some(text) => Moment::parse(text, self.zone, self.now),
            None => Ok(Moment::at(self.now, self.zone)),
        }
    }

    pub(super) fn evaluation(&self) -> Result<Evaluation> {
        Ok(Evaluation {
            moment: self.moment()?,
            variables: self.variables.clone(),
        })
    }

    /// The same at another moment.
    pub(super) fn evaluation_at(&self, moment: Moment) -> Evaluation {
        Evaluation {
            moment,
            variables: self.variables.clone(),
        }
    }

    /// The same engine at the end of a day.
    pub(super) fn at(&self, date: chrono::NaiveDate) -> Self {
        Self {
            as_of: Some(date.to_string()),
            ..self.clone()
        }
    }

    pub(super) fn world<'a>(&'a self, evaluation: &'a Evaluation) -> World<'a> {
        World {
            evaluation,
            catalog: &self.catalog,
            session: &self.session,
            store: &self.store,
            cache: &self.cache,
        }
    }

    /// `SHOW segql.…`.
    pub(super) fn setting(&self, setting: &str) -> Result<String> {
        match setting {
            "as_of" => Ok(self.moment()?.to_string()),
            "time_zone" => Ok(self.zone.name().to_owned()),
            "cache_sized" | "cache_sized_rows" | "cache_bytes" => {
                let state = self.session.state_ref();
                let settings = ExecSettings::of(state.read().config_options());
                Ok(match setting {
                    "cache_sized" => settings.cache_sized.to_string(),
                    "cache_sized_rows" => settings.cache_sized_rows.to_string(),
                    _ => settings.cache_bytes.to_string(),
                })
            }
            _ => Err(no_setting(setting)),
        }
    }

    /// `SET segql.… = …`.
    pub(super) fn set(&mut self, setting: &str, value: &str) -> Result<()> {
        match setting {
            "as_of" => {
                Moment::parse(value, self.zone, self.now)?;
                self.as_of = Some(value.to_owned());
            }
            "time_zone" => {
                self.zone = parse_zone(value)?;
                let state = self.session.state_ref();
                let mut state = state.write();
                state.config_mut().options_mut().execution.time_zone = Some(value.to_owned());
            }
            "cache_sized" | "cache_sized_rows" | "cache_bytes" => {
                let state = self.session.state_ref();
                let mut state = state.write();
                let options = state.config_mut().options_mut();
                let set = options.set(&format!("segql.{setting}"), value);
                set.map_err(|_| bad_value(setting, value))?;
            }
            _ => return Err(no_setting(setting)),
        }
        Ok(())
    }

    /// A macro must not take the place of a function that others rely on.
    pub(super) fn check_function_name(&self, definition: &Definition) -> Result<()> {
        let name = definition.name.to_lowercase();
        let state = self.session.state();
        let is_known = state.scalar_functions().contains_key(&name)
            || state.aggregate_functions().contains_key(&name)
            || state.window_functions().contains_key(&name)
            || TABLE_FUNCTIONS.iter().any(|it| it.name == name);
        match definition.kind() == Kind::Function && is_known {
            false => Ok(()),
            true => Err(definition
                .error(format!("there is a function '{name}' already"))
                .hint("choose another name: definitions and libraries call the one there is")),
        }
    }

    /// What is wrong with definitions by themselves.
    pub(super) fn faults(&self) -> BTreeMap<String, Error> {
        let is_table = |name: &str| {
            self.session
                .table_exist(TableReference::bare(name))
                .unwrap_or(false)
        };
        Graph::new(&self.catalog).faults(is_table)
    }

    /// Plans a statement of DataFusion's for the as-of that holds.
    pub(super) async fn plan(
        &self,
        statement: SqlStatement,
        script: &Script,
    ) -> Result<LogicalPlan> {
        let evaluation = self.evaluation()?;
        let mut statement = statement;
        // Before anything is looked up: a name may be a variable's value.
        if let SqlStatement::Statement(inner) = &mut statement {
            let put = evaluation.variables.put_into(inner.as_mut());
            put.map_err(|error| error.within(script))?;
        }
        let mentions = crate::catalog::of_statement(&statement)?;
        let world = self.world(&evaluation);
        let inputs = Inputs::collect(world, &mentions)
            .await
            .map_err(|error| error.within(script))?;
        let binder = Binder::new(world, &inputs, &SharedTables::new())?;
        binder.statement(statement, script)
    }

    /// The columns of something that can be selected from.
    pub async fn columns(&self, name: &str) -> Result<datafusion::arrow::datatypes::SchemaRef> {
        let evaluation = self.evaluation()?;
        let world = self.world(&evaluation);
        let inputs = Inputs::collect(world, &[Reference::to(name)]).await?;
        let binder = Binder::new(world, &inputs, &SharedTables::new())?;
        Ok(binder.relation(name)?.schema())
    }

    /// The names of all columns of what is defined, as far as it can be planned.
    pub async fn all_columns(&self) -> Result<BTreeSet<String>> {
        let evaluation = self.evaluation()?;
        let world = self.world(&evaluation);
        let all = || self.catalog.all().filter(|it| it.id() == it.name);
        let mentions: Vec<Reference> = all().map(|it| Reference::to(&it.name)).collect();
        let inputs = Inputs::collect(world, &mentions).await?;
        let binder = Binder::new(world, &inputs, &SharedTables::new())?;
        let schemas = all().filter_map(|it| binder.schema_of(it).ok());
        let names = schemas.flat_map(|it| {
            let fields = it.fields().iter();
            fields.map(|it| it.name().clone()).collect::<Vec<_>>()
        });
        Ok(names.collect())
    }

    /// Variables of libraries are what these say, unless they were given.
    pub(super) fn declare_parameters(&mut self) -> Result<()> {
        for parameter in self.catalog.parameters()? {
            self.variables
                .declare_default(&parameter.name, parameter.default)?;
        }
        Ok(())
    }

    /// Where relative paths in typed statements start.
    pub(super) fn base(&self) -> Result<PathBuf> {
        Ok(std::env::current_dir()?)
    }

    /// Makes a file a table named after its stem: `data/orders.csv` → `orders`.
    pub fn add_file(&mut self, path: &Path) -> Result<String> {
        let stem = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default().to_lowercase();
        let quoted = path.to_string_lossy().replace('\'', "''");
        let name = stem.replace('"', "\"\"");
        // A file named on the command line comes before a project's source.
        let others = self
            .catalog
            .find(&stem)
            .is_some_and(|it| it.script.name != COMMAND_LINE);
        let replace = if others { "OR REPLACE " } else { "" };
        let text = format!("CREATE {replace}SOURCE \"{name}\" FROM '{quoted}'");
        let script = Arc::new(Script::new(COMMAND_LINE, text));
        for parsed in crate::statement::parse(&script)? {
            let definition = crate::catalog::Definition::new(&parsed?, self.base()?, false)?;
            self.catalog.add(definition)?;
        }
        Ok(stem)
    }
}

fn bad_value(setting: &str, value: &str) -> Error {
    let kind = match setting {
        "cache_sized" => "true or false",
        "cache_bytes" => "a number of bytes",
        _ => "a number of rows",
    };
    Error::usage(format!("segql.{setting} cannot be '{value}'"))
        .hint(format!("segql.{setting} is {kind}"))
}

fn no_setting(setting: &str) -> Error {
    Error::usage(format!("there is no setting segql.{setting}"))
        .hint_if(suggest(setting, ["as_of", "time_zone"]))
        .hint("settings are segql.as_of and segql.time_zone")
}
