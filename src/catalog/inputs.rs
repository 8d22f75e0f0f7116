//! What has to be looked up before planning, which itself waits for nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::NaiveDate;
use datafusion::common::TableReference;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionContext;

use super::references::Reference;
use super::shared_table::Outlines;
use super::table_functions::Reach;
use super::{
    Catalog, Definition, Evaluation, Graph, KeptFrozen, information, library, relations, visibility,
};
use crate::error::{Error, Result};
use crate::source::{OpenSource, SourceOptions, looks_like_path};
use crate::statement::{Body, Kind};
use crate::store::{SnapshotRecord, Store};

/// Everything that planning may ask about.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The definitions.
    pub catalog: &'a Catalog,
    /// The session with its own tables and functions.
    pub session: &'a SessionContext,
    /// Where snapshots are.
    pub store: &'a Arc<Store>,
    /// Sources opened before.
    pub cache: &'a SourceCache,
    /// What a statement is evaluated with.
    pub evaluation: &'a Evaluation,
}

/// Sources that were opened, as long as their files stay the same.
#[derive(Debug, Default)]
pub struct SourceCache(Mutex<HashMap<String, OpenSource>>);

impl SourceCache {
    /// Opens a source, or gives the one that was opened before.
    async fn open(&self, place: Place, session: &SessionContext) -> Result<OpenSource> {
        if let Some(known) = self.current(&place) {
            return Ok(known);
        }
        let opened = place.open(&session.state()).await?;
        self.keep(&place, &opened);
        Ok(opened)
    }

    /// What was opened before, if its files are still the same.
    fn current(&self, place: &Place) -> Option<OpenSource> {
        let known = self.0.lock().ok()?.get(&place.key()).cloned();
        known.filter(|it| it.is_current(&place.location, &place.base))
    }

    fn keep(&self, place: &Place, opened: &OpenSource) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(place.key(), opened.clone());
        }
    }
}

/// Where a source is and how it is read.
#[derive(Clone)]
struct Place {
    location: String,
    base: PathBuf,
    options: SourceOptions,
}

impl Place {
    fn of(definition: &Definition, options: &SourceOptions) -> Result<Self> {
        let Body::Location(location) = &definition.create.body else {
            return Err(definition.error("a source without a location"));
        };
        Ok(Self {
            location: location.clone(),
            base: definition.base.clone(),
            options: options.clone(),
        })
    }

    fn key(&self) -> String {
        let base = self.base.display();
        format!("{}\n{base}\n{:?}", self.location, self.options)
    }

    async fn open(&self, session: &SessionState) -> Result<OpenSource> {
        OpenSource::open(&self.location, &self.base, &self.options, session).await
    }
}

/// Files, tables and snapshots, found once for a statement or run.
#[derive(Default)]
pub struct Inputs {
    /// Sources by name; why one could not be opened is said where it is used.
    pub sources: BTreeMap<String, Result<(OpenSource, SourceOptions)>>,
    /// Tables that are not definitions, by name; why one could not be had is
    /// said where it is used.
    pub tables: HashMap<String, Result<Arc<dyn TableSource>>>,
    /// Those of them that are files named by their path.
    pub files: HashMap<String, OpenSource>,
    /// What is kept of frozen views.
    pub frozen: KeptFrozen,
    /// The session as it is now, cloned once for all that is planned.
    state: OnceLock<Arc<SessionState>>,
    /// What definitions are by themselves, found when asked.
    outlines: Mutex<Outlines>,
    /// Snapshots of what `members('…')` names.
    pub snapshots: BTreeMap<(String, NaiveDate), SnapshotRecord>,
}

impl Inputs {
    /// Looks up what these definitions rest on.
    pub(super) async fn of<'d>(
        world: World<'_>,
        definitions: impl Iterator<Item = &'d Arc<Definition>>,
    ) -> Result<Self> {
        let mentions: Vec<Reference> = definitions.map(|it| Reference::to(&it.name)).collect();
        Box::pin(Self::collect(world, &mentions)).await
    }

    /// Looks up what these mentions rest on.
    pub async fn collect(world: World<'_>, mentions: &[Reference]) -> Result<Self> {
        let mut inputs = Self::default();
        let mentions = &with_reach(world.catalog, mentions);
        // The sources of kept rows may be gone.
        let kept = world.catalog.kept_frozen(world.store).await;
        let graph = Graph::new(world.catalog).over(&kept);
        let names = || mentions.iter().map(|mention| mention.name.as_str());
        let order = match graph.order(names()) {
            Ok(order) => order,
            // What rests on a circle has no inputs; planning it says why.
            Err(_) => graph.order(names().filter(|name| graph.order([*name]).is_ok()))?,
        };
        let mut all: Vec<Reference> = mentions.to_vec();
        let mut sources = vec![];
        for name in order {
            let Some(definition) = world.catalog.find(name) else {
                continue;
            };
            if kept.contains_key(name) {
                continue;
            }
            all.extend(definition.references.iter().cloned());
            if definition.kind() == Kind::Source {
                // Checked when it was defined.
                sources.push((definition, definition.source_options()?));
            }
        }
        inputs.open_sources(world, sources).await;
        inputs.look_up(world, &all).await?;
        inputs.frozen = kept;
        Ok(inputs)
    }

    /// Opens sources side by side: looking into files takes a while.
    async fn open_sources(
        &mut self,
        world: World<'_>,
        sources: Vec<(&Arc<Definition>, SourceOptions)>,
    ) {
        let mut waiting = vec![];
        for (definition, options) in sources {
            let place = Place::of(definition, &options);
            let known = place.as_ref().ok().and_then(|it| world.cache.current(it));
            let opening = place.map(|place| match known {
                Some(known) => Opening::Known(Box::new(known)),
                None => {
                    let (state, away) = (self.state(world.session), place.clone());
                    let task = SpawnedTask::spawn(async move { away.open(&state).await });
                    Opening::Task(Box::new(place), task)
                }
            });
            waiting.push((definition, options, opening));
        }
        for (definition, options, opening) in waiting {
            let opened = match opening {
                Ok(Opening::Known(known)) => Ok(*known),
                Ok(Opening::Task(place, task)) => {
                    let ended = task.await;
                    let opened = ended.unwrap_or_else(|error| Err(Error::new(error.to_string())));
                    opened.inspect(|opened| world.cache.keep(&place, opened))
                }
                Err(error) => Err(error),
            };
            let opened = opened.map_err(|error| at_its_name(error, definition));
            let opened = opened.map(|opened| (opened, options));
            self.sources.insert(definition.name.clone(), opened);
        }
    }

    /// The plain tables, files and relations among the mentions.
    async fn look_up(&mut self, world: World<'_>, mentions: &[Reference]) -> Result<()> {
        for mention in mentions {
            let name = mention.name.as_str();
            if mention.by_text {
                self.look_up_snapshots(world, name).await?;
            }
            if world.catalog.find(name).is_none() && !self.tables.contains_key(name) {
                let found = Box::pin(self.table(world, name)).await;
                if let Some(table) = found.transpose() {
                    let table = table.map_err(|error| error.at(mention.span()));
                    self.tables.insert(name.to_owned(), table);
                }
            }
        }
        Ok(())
    }

    pub(super) fn state(&self, session: &SessionContext) -> Arc<SessionState> {
        let state = self.state.get_or_init(|| Arc::new(session.state()));
        Arc::clone(state)
    }

    /// What was found of definitions by themselves.
    pub(super) fn outlines(&self) -> MutexGuard<'_, Outlines> {
        self.outlines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest snapshot before a date.
    pub fn previous(&self, name: &str, date: NaiveDate) -> Option<&SnapshotRecord> {
        let before = self.snapshots.values();
        before
            .filter(|record| record.segment == name && record.as_of < date)
            .max_by_key(|record| record.as_of)
    }

    async fn look_up_snapshots(&mut self, world: World<'_>, name: &str) -> Result<()> {
        let Some(definition) = world.catalog.find(name) else {
            return Ok(());
        };
        for record in world.store.snapshots_of(&definition.name).await? {
            self.snapshots
                .insert((record.segment.clone(), record.as_of), record);
        }
        Ok(())
    }

    async fn table(
        &mut self,
        world: World<'_>,
        name: &str,
    ) -> Result<Option<Arc<dyn TableSource>>> {
        if let Some(relation) = name.strip_prefix("segql.") {
            return relations::table(relation, world).await.map(Some);
        }
        if let Some(relation) = name.strip_prefix("information_schema.") {
            return information::table(relation, world).await;
        }
        let bare = TableReference::bare(name);
        let parts = name.split_once('.');
        let qualified = parts.map(|(schema, table)| TableReference::partial(schema, table));
        for reference in std::iter::once(bare).chain(qualified) {
            if let Ok(provider) = world.session.table_provider(reference).await {
                return Ok(Some(provider_as_source(provider)));
            }
        }
        if !looks_like_path(name) {
            return Ok(None);
        }
        let place = Place {
            location: name.to_owned(),
            base: std::env::current_dir()?,
            options: SourceOptions::default(),
        };
        let opened = world.cache.open(place, world.session).await?;
        let moment = &world.evaluation.moment;
        let plan = visibility::in_session_zone(opened.plan(name, &[])?, moment)?;
        self.files.insert(name.to_owned(), opened);
        let view = datafusion::datasource::ViewTable::new(plan, None);
        Ok(Some(provider_as_source(Arc::new(view))))
    }

    /// Names of all that can be selected from, for "did you mean".
    pub(super) fn known_names(&self, catalog: &Catalog, session: &SessionContext) -> Vec<String> {
        let mut names: Vec<String> = catalog
            .all()
            .filter(|definition| definition.kind().is_relation())
            .map(|definition| definition.name.clone())
            .collect();
        names.extend(information::session_tables(session));
        names
    }
}

/// The mentions with all that table functions among them look at beside.
fn with_reach(catalog: &Catalog, mentions: &[Reference]) -> Vec<Reference> {
    let mut all = mentions.to_vec();
    let reach = mentions.iter().map(|mention| mention.reach).max();
    if reach >= Some(Reach::Entities) {
        let entities = catalog.of_kind(Kind::Entity);
        all.extend(entities.flat_map(|entity| entity.references.clone()));
    }
    if reach >= Some(Reach::Segments) {
        let segments = catalog.project_segments();
        all.extend(segments.map(|segment| Reference {
            by_text: true,
            ..Reference::to(&segment.name)
        }));
    }
    all
}

/// The source of a definition, with why it cannot be opened told at its name.
pub(super) async fn open(
    world: World<'_>,
    definition: &Definition,
    options: &SourceOptions,
) -> Result<OpenSource> {
    let place = Place::of(definition, options)?;
    let opened = world.cache.open(place, world.session).await;
    opened.map_err(|error| at_its_name(error, definition))
}

fn at_its_name(error: Error, definition: &Definition) -> Error {
    let at = definition.create.name.span;
    let error = error.context(format!("source {}", definition.name));
    error.at(at).within(&definition.script)
}

/// A source on its way.
enum Opening {
    Known(Box<OpenSource>),
    Task(Box<Place>, SpawnedTask<Result<OpenSource>>),
}

/// An error that a table is not there.
pub(super) fn not_found(name: &str, known: &[String]) -> Error {
    let (bare, _) = super::split_label(name);
    let error = Error::new(format!("table '{name}' not found"));
    if let Some(hint) = library::bringing_in(bare, known) {
        return error.hint(hint);
    }
    match crate::error::suggest(bare, known.iter().map(String::as_str)) {
        Some(hint) => error.hint(hint),
        None if known.is_empty() => {
            error.hint("nothing is defined yet; FROM 'file.csv' reads a file")
        }
        None if known.len() <= 12 => error.hint(format!("there are {}", known.join(", "))),
        None => error.hint("SHOW TABLES lists what there is"),
    }
}
