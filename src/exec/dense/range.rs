//! From where to where the keys of an aggregation go.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use crate::exec::cache_sized::{rows, width};

/// Keys that lie close together, and NULL before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRange {
    pub(super) smallest: i64,
    pub(super) largest: i64,
    /// Bytes of a group: its states, and whether it is there.
    pub(super) group_bytes: usize,
    /// Groups that are visited at once: two to the power of this.
    pub(super) shift: u32,
}

/// So many groups at once at least: each has a cost of its own.
const LEAST_SHIFT: u32 = 10;

/// Places are numbers of 32 bits.
const MOST_KEYS: i128 = 1 << 31;

impl KeyRange {
    /// Places of groups: one for NULL, and one for each key.
    pub(super) fn count(&self) -> usize {
        (self.largest - self.smallest) as usize + 2
    }

    /// Parts of the range, each of which is visited at once.
    pub(super) fn parts(&self) -> usize {
        self.count().div_ceil(self.part_groups())
    }

    /// Groups of a part.
    pub(super) fn part_groups(&self) -> usize {
        1 << self.shift
    }

    /// In parts that fit half of a cache.
    pub(super) fn in_cache(self, bytes: usize) -> Self {
        let groups = (bytes / 2 / self.group_bytes.max(1)).max(1);
        Self {
            shift: groups.ilog2().max(LEAST_SHIFT),
            ..self
        }
    }
}

/// None where it is not known, where keys lie far apart, and where there are fewer rows
/// than `least_rows`.
pub(super) fn range_of(partial: &AggregateExec, least_rows: usize) -> Result<Option<KeyRange>> {
    let [(key, _)] = partial.group_expr().expr() else {
        return Ok(None);
    };
    let (Some(column), true) = (
        key.downcast_ref::<Column>(),
        key.data_type(&partial.input_schema())?.is_integer(),
    ) else {
        return Ok(None);
    };
    let input = partial.input();
    let context = StatisticsContext::new();
    let Some(rows) = rows(&context, input)?.filter(|rows| *rows >= least_rows) else {
        return Ok(None);
    };
    let known = context.compute(input.as_ref(), &StatisticsArgs::new())?;
    let Some(known) = known.column_statistics.get(column.index()) else {
        return Ok(None);
    };
    let whole = |value: Option<&ScalarValue>| match value?.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(whole)) => whole,
        _ => None,
    };
    let smallest = whole(known.min_value.get_value());
    let largest = whole(known.max_value.get_value());
    let (Some(smallest), Some(largest)) = (smallest, largest) else {
        return Ok(None);
    };
    let count = i128::from(largest) - i128::from(smallest) + 1;
    let is_dense = count > 0 && count < MOST_KEYS && count <= rows as i128;
    Ok(is_dense.then(|| KeyRange {
        smallest,
        largest,
        group_bytes: width(&partial.schema()) + 1,
        shift: LEAST_SHIFT,
    }))
}
