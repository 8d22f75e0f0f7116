//! `segment_diff('name', from, to)`: who entered, left, stayed or moved.

use datafusion::logical_expr::LogicalPlan;

use super::arguments::Call;
use super::given::with_first_called;
use super::steps::{Stage, steps};
use crate::error::Result;

const DIFF: &str = "
SELECT key,
       CASE WHEN NOT was_in THEN 'entered'
            WHEN NOT is_in THEN 'left'
            WHEN from_label IS DISTINCT FROM to_label THEN 'moved'
            ELSE 'stayed' END AS change,
       from_label, to_label
FROM steps";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(3, 3)?;
    let (name, definition) = call.segment(0)?;
    let (from, to) = call.span(1, 2)?;
    let binder = call.binder();
    let stage = |number, moment| -> Result<Stage> {
        Ok(Stage {
            members: binder.members_at(name, moment)?,
            number,
            steps: vec![1],
        })
    };
    let stages = [stage(0, from)?, stage(1, to)?];
    let steps = steps(binder, definition, &stages)?;
    let diff = binder.over(DIFF, &[("steps", steps)])?;
    with_first_called(diff, &stages[1].members.key)
}
