//! `AS PRIORITY (vip, regular, …)`: of the segments that have a key, the first
//! named gives its label.

use datafusion::common::TableReference;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, case, lit};
use datafusion::prelude::ident;

use super::binder::Binder;
use super::key::LABEL_COLUMN;
use super::{Definition, split_label};
use crate::error::{Error, Result, Span};
use crate::statement::{Kind, Name};

/// One row per key: the key and the name of the first segment that has it.
pub(super) fn plan(
    binder: &Binder<'_>,
    definition: &Definition,
    segments: &[Name],
) -> Result<LogicalPlan> {
    let mut key: Option<String> = None;
    let mut all: Option<LogicalPlanBuilder> = None;
    for (rank, segment) in segments.iter().enumerate() {
        let found = key_of(binder, segment);
        let own = found.map_err(|error| error.at(segment.span).within(&definition.script))?;
        let name = key.get_or_insert_with(|| own.clone());
        let source = binder.relation(&segment.text)?;
        let scan = TableReference::bare(segment.text.as_str());
        let ranked = LogicalPlanBuilder::scan(scan, source, None)?.project([
            ident(own).alias(name.as_str()),
            lit(rank as i64).alias("rank"),
        ])?;
        all = Some(match all {
            Some(before) => before.union(ranked.build()?)?,
            None => ranked,
        });
    }
    let (Some(all), Some(key)) = (all, key) else {
        return Err(definition.error("PRIORITY needs a segment"));
    };
    let label = definition
        .create
        .options
        .text("label")
        .unwrap_or(LABEL_COLUMN);
    let mut named = case(ident("first"));
    for (rank, segment) in segments.iter().enumerate() {
        named.when(lit(rank as i64), lit(segment.text.as_str()));
    }
    let plan = all
        .aggregate([ident(key.as_str())], [min(ident("rank")).alias("first")])?
        .project([ident(key.as_str()), named.end()?.alias(label)])?;
    Ok(plan.build()?)
}

/// The key of a segment, or of a segmentation of which a label is named.
fn key_of(binder: &Binder<'_>, segment: &Name) -> Result<String> {
    let (base, label) = split_label(&segment.text);
    let kinds = [Kind::Segment, Kind::Segmentation];
    let found = binder.world.catalog.get(base, &kinds)?;
    if found.kind() == Kind::Segmentation && label.is_none() {
        let labels = found.labels();
        let example = labels.first().copied().unwrap_or("…");
        return Err(Error::new(format!(
            "'{}' is a segmentation; PRIORITY takes segments and labels",
            segment.text
        ))
        .hint(format!("name a label of it: \"{}:{example}\"", found.name)));
    }
    binder.key_of(found)
}

/// Where a segment is named twice.
pub(super) fn repeated(segments: &[Name]) -> Option<(&Name, Option<Span>)> {
    let mut named = segments.iter().enumerate();
    let found =
        named.find(|(index, it)| segments[..*index].iter().any(|other| other.text == it.text));
    found.map(|(_, name)| (name, name.span))
}
