//! How many groups an aggregation may have, and how wide they are: from the statistics of
//! files, without reading any.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{ColumnStatistics, Result, ScalarValue};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// What is known before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// Groups at most.
    pub(super) groups: usize,
    /// Bytes of a group: its key, its place in the table, its states.
    pub(super) group_bytes: usize,
    /// Bytes of a row on its way to its group.
    pub(super) row_bytes: usize,
    /// Is it worth it to aggregate before the exchange, as far as can be said?
    pub(super) aggregate_first: bool,
}

/// Rows for each value that a key may have: fewer say that keys are far apart, and nothing
/// of how many there are.
const LEAST_ROWS_A_VALUE: usize = 2;
/// Rows for each group from which on few are left after a first aggregation.
const MANY_ROWS_A_GROUP: usize = 64;

/// A hash and a number, at a load between 7/16 and 7/8.
const SLOT_BYTES: usize = 25;
/// Of texts, lists and all else that has no width of its own.
const USUAL_WIDTH: usize = 32;

/// None where nothing is known, or where there are fewer rows than `least_rows`.
pub(super) fn of(partial: &AggregateExec, least_rows: usize) -> Result<Option<Estimate>> {
    let input = partial.input();
    let context = StatisticsContext::new();
    let Some(rows) = rows(&context, input)?.filter(|rows| *rows >= least_rows) else {
        return Ok(None);
    };
    let columns = &context
        .compute(input.as_ref(), &StatisticsArgs::new())?
        .column_statistics;
    let keys = partial.group_expr().expr().iter().map(|(key, _)| {
        let column = key.downcast_ref::<Column>();
        column.and_then(|column| distinct(columns.get(column.index())?))
    });
    let groups = keys.fold(1_usize, |product, values| {
        product.saturating_mul(values.unwrap_or(rows))
    });
    let row_bytes = width(&partial.schema());
    // Keys that lie close together are as many as their range; there is nothing to find out.
    let rows_a_group = rows / groups.max(1);
    let are_known = (LEAST_ROWS_A_VALUE..MANY_ROWS_A_GROUP).contains(&rows_a_group);
    Ok(Some(Estimate {
        groups: groups.min(rows),
        group_bytes: SLOT_BYTES + row_bytes,
        row_bytes,
        aggregate_first: !are_known || width(&input.schema()) > row_bytes,
    }))
}

/// The rows of the largest input below: those a filter leaves are not known, those a join
/// makes are mostly as many as its largest side has.
pub(in crate::exec) fn rows(
    context: &StatisticsContext,
    plan: &Arc<dyn ExecutionPlan>,
) -> Result<Option<usize>> {
    let children = plan.children();
    if children.is_empty() {
        let known = context.compute(plan.as_ref(), &StatisticsArgs::new())?;
        return Ok(known.num_rows.get_value().copied());
    }
    let mut most = None;
    for child in children {
        most = most.max(rows(context, child)?);
    }
    Ok(most)
}

/// Values of a column at most.
fn distinct(column: &ColumnStatistics) -> Option<usize> {
    if let Some(count) = column.distinct_count.get_value() {
        return Some(*count);
    }
    let whole = |value: &ScalarValue| match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(whole)) => whole,
        _ => None,
    };
    let smallest = column.min_value.get_value()?;
    if !smallest.data_type().is_integer() && !smallest.data_type().is_temporal() {
        return None;
    }
    let (smallest, largest) = (whole(smallest)?, whole(column.max_value.get_value()?)?);
    // One more for NULL.
    let values = i128::from(largest) - i128::from(smallest) + 2;
    Some(usize::try_from(values).unwrap_or(usize::MAX))
}

/// Bytes of a row with these columns.
pub(in crate::exec) fn width(schema: &Schema) -> usize {
    let widths = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Boolean => 1,
        DataType::FixedSizeBinary(bytes) => usize::try_from(*bytes).unwrap_or(USUAL_WIDTH),
        other => other.primitive_width().unwrap_or(USUAL_WIDTH),
    });
    widths.sum()
}

#[cfg(test)]
mod tests {
    use datafusion::common::stats::Precision;

    use super::*;

    fn between(smallest: ScalarValue, largest: ScalarValue) -> ColumnStatistics {
        ColumnStatistics {
            min_value: Precision::Inexact(smallest),
            max_value: Precision::Exact(largest),
            ..ColumnStatistics::new_unknown()
        }
    }

    #[test]
    fn values_of_a_column() {
        let whole = |value| ScalarValue::Int64(Some(value));
        assert_eq!(distinct(&between(whole(-3), whole(6))), Some(11));
        assert_eq!(
            distinct(&between(whole(i64::MIN), whole(i64::MAX))),
            usize::try_from((1_i128 << 64) + 1)
                .ok()
                .or(Some(usize::MAX))
        );
        let days = |days| ScalarValue::Date32(Some(days));
        assert_eq!(distinct(&between(days(20_000), days(20_030))), Some(32));
        let text = |text: &str| ScalarValue::from(text);
        assert_eq!(distinct(&between(text("1"), text("9"))), None);
        assert_eq!(distinct(&ColumnStatistics::new_unknown()), None);
        let counted = ColumnStatistics {
            distinct_count: Precision::Inexact(7),
            ..between(whole(0), whole(100))
        };
        assert_eq!(distinct(&counted), Some(7));
    }
}
