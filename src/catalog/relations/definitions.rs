//! Relations about definitions.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};

use super::{Cell, batch, text};
use crate::catalog::inputs::{Inputs, World};
use crate::catalog::key::entity_key;
use crate::catalog::{Binder, Catalog, Definition, Graph, SharedTables};
use crate::error::Result;
use crate::statement::{Body, Kind};

/// A column of text about each definition.
fn about(of: &[&Arc<Definition>], value: impl Fn(&Definition) -> Cell) -> ArrayRef {
    text(of.iter().map(|definition| value(definition)))
}

fn option(name: &'static str) -> impl Fn(&Definition) -> Cell {
    move |definition| definition.create.options.text(name).map(str::to_owned)
}

fn list_option(name: &'static str) -> impl Fn(&Definition) -> Cell {
    move |definition| {
        let items = definition.create.options.list(name).ok()?;
        (!items.is_empty()).then(|| items.join(", "))
    }
}

fn file(of: &[&Arc<Definition>]) -> ArrayRef {
    about(of, |definition| Some(definition.script.name.clone()))
}

fn line(of: &[&Arc<Definition>]) -> ArrayRef {
    let lines = of
        .iter()
        .map(|definition| Some(definition.span.start.0 as i64));
    Arc::new(lines.collect::<Int64Array>())
}

fn name(definition: &Definition) -> Cell {
    Some(definition.name.clone())
}

pub(super) fn sources(world: World<'_>) -> Result<RecordBatch> {
    let all: Vec<_> = world.catalog.of_kind(Kind::Source).collect();
    batch(vec![
        ("name", about(&all, name)),
        (
            "location",
            about(&all, |definition| match &definition.create.body {
                Body::Location(location) => Some(location.clone()),
                _ => None,
            }),
        ),
        ("key", about(&all, list_option("key"))),
        ("event_time", about(&all, option("event_time"))),
        ("known_at", about(&all, option("known_at"))),
        ("history", about(&all, list_option("history"))),
        ("latest_by", about(&all, option("latest_by"))),
        ("personal", about(&all, list_option("personal"))),
        ("description", about(&all, |it| it.description.clone())),
        ("file", file(&all)),
        ("line", line(&all)),
    ])
}

pub(super) fn entities(world: World<'_>) -> Result<RecordBatch> {
    let all: Vec<_> = world.catalog.of_kind(Kind::Entity).collect();
    batch(vec![
        ("name", about(&all, name)),
        (
            "table_name",
            about(&all, |definition| match &definition.create.body {
                Body::Table { table, .. } => Some(table.text.clone()),
                _ => None,
            }),
        ),
        ("key", about(&all, |it| Some(entity_key(it)))),
        ("description", about(&all, |it| it.description.clone())),
        ("file", file(&all)),
        ("line", line(&all)),
    ])
}

/// What SHOW lists of segments, segmentations among them, or of these alone.
/// Nothing is planned for it.
pub fn segment_listing(catalog: &Catalog, segmentations_only: bool) -> Result<RecordBatch> {
    let wanted = |kind: Kind| match segmentations_only {
        true => kind == Kind::Segmentation,
        false => kind.has_members(),
    };
    let all: Vec<_> = catalog.all().filter(|it| wanted(it.kind())).collect();
    let mut columns = vec![("name", about(&all, name))];
    if !segmentations_only {
        columns.push(("kind", about(&all, |it| Some(it.kind().to_string()))));
    }
    columns.extend([
        ("description", about(&all, |it| it.description.clone())),
        ("tags", about(&all, list_option("tags"))),
        ("action", about(&all, option("action"))),
    ]);
    batch(columns)
}

pub(super) async fn segments(world: World<'_>) -> Result<RecordBatch> {
    let all: Vec<_> = world
        .catalog
        .all()
        .filter(|it| it.kind().has_members())
        .collect();
    let inputs = Inputs::of(world, all.iter().copied()).await;
    let inputs = inputs.unwrap_or_default();
    let binder = Binder::new(world, &inputs, &SharedTables::new())?;
    let entities = all.iter().map(|segment| {
        // What cannot be planned now is about nobody yet.
        let entity = binder.entity(segment);
        entity.or_else(|| option("entity")(segment))
    });
    batch(vec![
        ("name", about(&all, name)),
        ("kind", about(&all, |it| Some(it.kind().to_string()))),
        ("entity", text(entities)),
        ("description", about(&all, |it| it.description.clone())),
        ("owner", about(&all, option("owner"))),
        ("purpose", about(&all, option("purpose"))),
        ("tags", about(&all, list_option("tags"))),
        ("action", about(&all, option("action"))),
        ("channel", about(&all, option("channel"))),
        ("definition", about(&all, |it| Some(it.text.clone()))),
        ("file", file(&all)),
        ("line", line(&all)),
    ])
}

pub(super) fn checks(world: World<'_>) -> Result<RecordBatch> {
    let all: Vec<_> = world.catalog.of_kind(Kind::Check).collect();
    batch(vec![
        ("name", about(&all, name)),
        ("description", about(&all, |it| it.description.clone())),
        ("definition", about(&all, |it| Some(it.text.clone()))),
        ("file", file(&all)),
        ("line", line(&all)),
    ])
}

pub(super) fn lineage(world: World<'_>) -> Result<RecordBatch> {
    let graph = Graph::new(world.catalog);
    let mut rows: Vec<[Cell; 4]> = vec![];
    for definition in world.catalog.all() {
        for below in graph.builds_on(&definition.id()) {
            let kind = world
                .catalog
                .find(below)
                .map(|found| found.kind().to_string());
            rows.push([
                Some(definition.name.clone()),
                Some(definition.kind().to_string()),
                Some(below.to_owned()),
                kind,
            ]);
        }
    }
    let column = |index: usize| text(rows.iter().map(move |row| row[index].clone()));
    batch(vec![
        ("name", column(0)),
        ("kind", column(1)),
        ("depends_on", column(2)),
        ("depends_on_kind", column(3)),
    ])
}
