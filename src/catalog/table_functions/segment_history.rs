//! `segment_history('name')`: sizes, entries and exits at each snapshot in the store.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{LogicalPlan, lit};

use super::arguments::Call;
use super::crowd::nothing;
use super::given::{day, in_order, values};
use super::steps::{Stage, steps};
use crate::catalog::split_label;
use crate::error::Result;
use crate::store::SnapshotRecord;

/// Sizes are those of the records. Whoever changes the label enters one and leaves
/// the other; before the first snapshot nobody was in.
const HISTORY: &str = "
WITH moved AS (
  SELECT step, from_label, to_label, was_in, is_in, count(*) AS people
  FROM steps GROUP BY step, from_label, to_label, was_in, is_in),
counted AS (
  SELECT step, label, size, 0 AS entered, 0 AS left_count FROM sizes
  UNION ALL
  SELECT step, to_label, 0, people, 0 FROM moved
  WHERE is_in AND (NOT was_in OR from_label IS DISTINCT FROM to_label)
  UNION ALL
  SELECT step, from_label, 0, 0, people FROM moved
  WHERE was_in AND (NOT is_in OR from_label IS DISTINCT FROM to_label))
SELECT dates.as_of, label, CAST(sum(size) AS BIGINT) AS size,
       CAST(sum(entered) AS BIGINT) AS entered, CAST(sum(left_count) AS BIGINT) AS left_count
FROM counted JOIN (SELECT DISTINCT step, as_of FROM sizes) AS dates ON dates.step = counted.step
GROUP BY dates.as_of, label
ORDER BY as_of, label";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(1, 1)?;
    let (name, definition) = call.segment(0)?;
    let binder = call.binder();
    let records = binder.inputs.snapshots.values();
    let records: Vec<_> = records.filter(|it| it.segment == definition.name).collect();
    let last = records.len() as i64 - 1;
    let stages = records.iter().zip(0..).map(|(record, number)| {
        Ok(Stage {
            members: binder.members_in(name, definition, record)?,
            number,
            steps: (number..=(number + 1).min(last)).collect(),
        })
    });
    let stages: Vec<Stage> = stages.collect::<Result<_>>()?;
    if stages.is_empty() {
        return no_snapshots();
    }
    let steps = steps(binder, definition, &stages)?;
    let sizes = sizes(&records, split_label(name).1)?;
    in_order(
        call,
        binder.over(HISTORY, &[("steps", steps), ("sizes", sizes)])?,
    )
}

/// The size of every label at every date, also of those that nobody had then.
fn sizes(records: &[&SnapshotRecord], only: Option<&str>) -> Result<LogicalPlan> {
    let labels: BTreeSet<&String> = records.iter().flat_map(|it| it.labels.keys()).collect();
    let mut rows = vec![];
    for (record, step) in records.iter().zip(0_i64..) {
        let mut add = |label: Option<&str>, size: u64| {
            rows.push(vec![
                lit(step),
                day(record.as_of),
                lit(ScalarValue::Utf8(label.map(str::to_owned))),
                lit(size as i64),
            ]);
        };
        let size_of = |label: &str| record.labels.get(label).copied().unwrap_or(0);
        match only {
            Some(label) => add(None, size_of(label)),
            None if labels.is_empty() => add(None, record.rows),
            None => labels.iter().for_each(|it| add(Some(it), size_of(it))),
        }
    }
    values(&["step", "as_of", "label", "size"], rows)
}

/// Before the first snapshot.
fn no_snapshots() -> Result<LogicalPlan> {
    let columns = [
        ("as_of", DataType::Date32),
        ("label", DataType::Utf8),
        ("size", DataType::Int64),
        ("entered", DataType::Int64),
        ("left_count", DataType::Int64),
    ];
    nothing(&columns)
}
