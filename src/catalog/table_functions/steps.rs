//! From date to date: who was in before, who is in after, and under which label.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{LogicalPlan, cast, lit};
use datafusion::prelude::ident;

use super::given::{scan, stacked};
use super::members_at::MembersAt;
use crate::catalog::Definition;
use crate::catalog::binder::Binder;
use crate::error::Result;

/// Members at one date of a series.
pub(super) struct Stage {
    pub(super) members: MembersAt,
    /// The place of the date in the series.
    pub(super) number: i64,
    /// The steps that it is part of: step n leads to the date n from the one before.
    pub(super) steps: Vec<i64>,
}

/// What happened to each key at each step. One group for each key and step, so that
/// every date is read once and what does not fit into memory waits in files.
const STEPS: &str = "
WITH seen AS (SELECT key, label, number, unnest(steps) AS step FROM stages)
SELECT key, step,
       min(label) FILTER (WHERE number < step) AS from_label,
       min(label) FILTER (WHERE number = step) AS to_label,
       bool_or(number < step) AS was_in,
       bool_or(number = step) AS is_in
FROM seen
GROUP BY key, step";

/// One row per key and step: `key`, `step`, `from_label`, `to_label`, `was_in`,
/// `is_in`. Of a definition that gives several labels, one per key, label and step.
pub(super) fn steps(
    binder: &Binder<'_>,
    definition: &Definition,
    stages: &[Stage],
) -> Result<LogicalPlan> {
    let stages = stages.iter().map(rows).collect::<Result<Vec<_>>>()?;
    let given = [("stages", stacked(stages)?)];
    match definition.has_several_labels() {
        true => binder.over(&format!("{STEPS}, label"), &given),
        false => binder.over(STEPS, &given),
    }
}

fn rows(stage: &Stage) -> Result<LogicalPlan> {
    let members = &stage.members;
    let label = match &members.label {
        Some(column) => cast(ident(column.as_str()), DataType::Utf8),
        None => lit(ScalarValue::Utf8(None)),
    };
    let steps: Vec<ScalarValue> = stage.steps.iter().map(|it| (*it).into()).collect();
    let steps = ScalarValue::List(ScalarValue::new_list_nullable(&steps, &DataType::Int64));
    let columns = [
        ident(members.key.as_str()).alias("key"),
        label.alias("label"),
        lit(stage.number).alias("number"),
        lit(steps).alias("steps"),
    ];
    let rows = scan("stage", &members.source)?;
    Ok(rows.project(columns)?.build()?)
}
