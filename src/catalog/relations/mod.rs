//! `segql.…`: what segql knows, as tables.

mod definitions;
mod frozen;
mod library;
mod rejects;
mod snapshots;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::TableSource;

use super::inputs::World;
use super::reference::{reference, reference_listing};
use crate::error::{Error, Result, suggest};

pub use definitions::segment_listing;
pub use library::{contract_listing, library_listing};

/// The relations of the schema `segql`, and what each says.
pub const SYSTEM_RELATIONS: [(&str, &str); 11] = [
    (
        "sources",
        "Named inputs: where they are, their key and times.",
    ),
    (
        "entities",
        "Whom segments are about, with the table and its key.",
    ),
    (
        "segments",
        "Segments and segmentations: whom they are about, purpose, tags, action, text.",
    ),
    ("checks", "What must hold of the data."),
    ("frozen", "Frozen views, and what is kept of each."),
    ("lineage", "What each definition builds on."),
    (
        "runs",
        "What became of each segment in each run: status, size, time, why.",
    ),
    (
        "snapshots",
        "Kept members by segment, label and date: size, entered, left, whether point in time.",
    ),
    (
        "members",
        "Who is in which kept snapshot, the key as text, and since when.",
    ),
    (
        "rejects",
        "Rows of sources that were left out, a row per bad field.",
    ),
    (
        "functions",
        "The reference: functions, relations, statements, and the library with its segments.",
    ),
];

/// One of the relations.
pub(super) async fn table(name: &str, world: World<'_>) -> Result<Arc<dyn TableSource>> {
    let batch = match name {
        "sources" => definitions::sources(world),
        "entities" => definitions::entities(world),
        "segments" => definitions::segments(world).await,
        "checks" => definitions::checks(world),
        "frozen" => frozen::frozen(world).await,
        "lineage" => definitions::lineage(world),
        "runs" => snapshots::runs(world).await,
        "snapshots" => snapshots::snapshots(world).await,
        "members" => return snapshots::members(world).await,
        "rejects" => return rejects::rejects(world).await,
        "functions" => reference_listing(&reference()?),
        _ => {
            let known = SYSTEM_RELATIONS.map(|(name, _)| name);
            return Err(Error::new(format!("table 'segql.{name}' not found"))
                .hint_if(suggest(name, known))
                .hint(format!("the schema segql has {}", known.join(", "))));
        }
    }?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    Ok(provider_as_source(Arc::new(table)))
}

/// A value of a text column.
type Cell = Option<String>;

fn text(values: impl Iterator<Item = Cell>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// Rows of texts under these names.
pub(super) fn texts<const N: usize>(names: [&str; N], rows: &[[String; N]]) -> Result<RecordBatch> {
    let column = |index: usize| text(rows.iter().map(move |row| Some(row[index].clone())));
    let named = names.into_iter().enumerate();
    batch(named.map(|(index, name)| (name, column(index))).collect())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, values)| (name, values, true)),
    )?)
}
