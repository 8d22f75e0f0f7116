//! `segment_migration('segmentation', from, to [, every])`: how many went from which
//! label to which.

use chrono::NaiveDate;
use datafusion::logical_expr::{LogicalPlan, lit};

use super::arguments::Call;
use super::given::{day, in_order, values};
use super::steps::{Stage, steps};
use crate::catalog::Definition;
use crate::error::{Error, Result};
use crate::session::{Every, Moment, dates};
use crate::statement::Kind;

const MIGRATION: &str = "
SELECT pairs.from_as_of, pairs.to_as_of, moved.from_label, moved.to_label, moved.customers
FROM (SELECT step, from_label, to_label, count(*) AS customers
      FROM steps GROUP BY step, from_label, to_label) AS moved
JOIN pairs ON pairs.step = moved.step
ORDER BY from_as_of, from_label NULLS LAST, to_label NULLS LAST";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(3, 4)?;
    let (name, definition) = call.segment(0)?;
    check_segmentation(name, definition)?;
    let (from, to) = call.span(1, 2)?;
    let moments = match call.count() {
        3 => vec![from, to],
        _ => {
            let every: Every = call.text(3).ok_or_else(|| call.usage())?.parse()?;
            let ends = dates(from.date(), to.date(), every)?.into_iter();
            ends.map(|date| Moment::end_of(date, from.zone()))
                .collect::<Result<_>>()?
        }
    };
    let binder = call.binder();
    let last = moments.len() as i64 - 1;
    let stages = moments.iter().zip(0..).map(|(moment, number)| {
        Ok(Stage {
            members: binder.members_at(name, *moment)?,
            number,
            // Nothing leads to the first date, and nothing on from the last.
            steps: (number.max(1)..=(number + 1).min(last)).collect(),
        })
    });
    let steps = steps(binder, definition, &stages.collect::<Result<Vec<_>>>()?)?;
    let days: Vec<NaiveDate> = moments.iter().map(Moment::date).collect();
    let given = [("steps", steps), ("pairs", pairs(&days)?)];
    in_order(call, binder.over(MIGRATION, &given)?)
}

fn check_segmentation(name: &str, definition: &Definition) -> Result<()> {
    match definition.kind() == Kind::Segmentation && !name.contains(':') {
        true => Ok(()),
        false => Err(
            Error::usage(format!("'{name}' has no labels to go from and to"))
                .hint("segment_migration takes a segmentation; segment_diff takes any segment"),
        ),
    }
}

/// The steps with their dates. A series of one date has none: a step 0, where nobody
/// went, stands in.
fn pairs(days: &[NaiveDate]) -> Result<LogicalPlan> {
    let pair = |step: usize| {
        let from = days[step.saturating_sub(1)];
        vec![lit(step as i64), day(from), day(days[step])]
    };
    let first = usize::from(days.len() > 1);
    let rows = (first..days.len()).map(pair).collect();
    values(&["step", "from_as_of", "to_as_of"], rows)
}
