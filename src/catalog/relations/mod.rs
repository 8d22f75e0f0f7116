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
use crate::error::{Error, Result, suggest};

pub use definitions::segment_listing;
pub use library::{contract_listing, library_listing};

/// The relations of the schema `segql`.
pub const SYSTEM_RELATIONS: [&str; 10] = [
    "sources",
    "entities",
    "segments",
    "checks",
    "frozen",
    "lineage",
    "runs",
    "snapshots",
    "members",
    "rejects",
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
        _ => {
            return Err(Error::new(format!("table 'segql.{name}' not found"))
                .hint_if(suggest(name, SYSTEM_RELATIONS))
                .hint(format!(
                    "the schema segql has {}",
                    SYSTEM_RELATIONS.join(", ")
                )));
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

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, values)| (name, values, true)),
    )?)
}
