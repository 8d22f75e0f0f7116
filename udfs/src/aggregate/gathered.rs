//! Aggregates that have to keep their rows until they are asked: many groups, or one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, not_impl_err};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::buckets::{Buckets, Cells};
use crate::arguments::Call;

/// A function over rows that are kept as cells.
pub(super) trait Gathered: Send + Sync + 'static {
    type Kept: Cells;

    /// Writes down rows; those that the filter leaves out and NULLs count for nothing.
    fn update(
        &mut self,
        to: &mut Buckets<Self::Kept>,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()>;

    /// Writes down what lists of a state held, a cell a row.
    fn merge(
        &mut self,
        to: &mut Buckets<Self::Kept>,
        values: &[ArrayRef],
        groups: &[usize],
    ) -> Result<()>;

    /// What becomes of each group.
    fn answer(&self, kept: &mut Buckets<Self::Kept>) -> Result<ArrayRef>;

    /// The columns of a state: of each the cells, one after the other.
    fn cells(&self, kept: &mut Buckets<Self::Kept>) -> Result<Vec<ArrayRef>>;

    /// Bytes on the heap beside the cells.
    fn size(&self) -> usize {
        0
    }
}

/// Only what was not asked for with DISTINCT is what these functions answer.
pub(super) fn check_distinct(call: &Call, args: &AccumulatorArgs<'_>) -> Result<()> {
    match args.is_distinct {
        true => not_impl_err!(
            "{} does not take DISTINCT; select the distinct rows first",
            call.name
        ),
        false => Ok(()),
    }
}

/// Rows do not leave again.
pub(super) fn sliding(call: &Call) -> Result<Box<dyn Accumulator>> {
    not_impl_err!(
        "{} does not take a window frame whose first row moves; begin it with UNBOUNDED PRECEDING",
        call.name
    )
}

/// The fields of a state with lists of these.
pub(super) fn state_fields(name: &str, lists: &[(&str, DataType)]) -> Vec<FieldRef> {
    let field = |(what, item): &(&str, DataType)| {
        let list = DataType::List(list_field(item));
        Arc::new(Field::new(format_state_name(name, what), list, true))
    };
    lists.iter().map(field).collect()
}

fn list_field(item: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(item.clone(), true))
}

/// A list for each row; `None` is NULL.
pub(super) fn lists(
    lengths: impl Iterator<Item = Option<usize>>,
    values: ArrayRef,
) -> Result<ArrayRef> {
    let mut ends = vec![0];
    let mut valid = vec![];
    let mut end = 0_usize;
    for length in lengths {
        end += length.unwrap_or(0);
        ends.push(i32::try_from(end).map_err(|_| too_many(end))?);
        valid.push(length.is_some());
    }
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    let field = list_field(values.data_type());
    let ends = OffsetBuffer::new(ends.into());
    Ok(Arc::new(ListArray::try_new(field, ends, values, nulls)?))
}

fn too_many(values: usize) -> DataFusionError {
    exec_datafusion_err!("{values} values are too many to be handed on at once")
}

/// The rows that count: those that are not NULL and that the filter lets pass; `None` is all.
pub(super) fn counting(arrays: &[ArrayRef], filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let nulls = arrays.iter().fold(None, |nulls, array| {
        NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref())
    });
    let passed = filter.map(|filter| {
        NullBuffer::new(match filter.nulls() {
            Some(nulls) => filter.values() & nulls.inner(),
            None => filter.values().clone(),
        })
    });
    NullBuffer::union(nulls.as_ref(), passed.as_ref())
}

/// Calls for each row that counts.
pub(super) fn each_row(
    rows: usize,
    counting: Option<&NullBuffer>,
    mut see: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    match counting {
        None => (0..rows).try_for_each(see),
        Some(nulls) => nulls.valid_indices().try_for_each(&mut see),
    }
}

/// Many groups.
pub(super) struct Groups<G: Gathered> {
    function: G,
    kept: Buckets<G::Kept>,
    /// Makes another of the same, for states of single rows.
    again: Box<dyn Fn() -> Result<G> + Send + Sync>,
}

impl<G: Gathered> Groups<G> {
    pub(super) fn new(again: impl Fn() -> Result<G> + Send + Sync + 'static) -> Result<Self> {
        Ok(Self {
            function: again()?,
            kept: Buckets::default(),
            again: Box::new(again),
        })
    }

    /// What was beside the cells is no longer needed when all groups have left.
    fn after(&mut self, emit: EmitTo) -> Result<()> {
        if matches!(emit, EmitTo::All) {
            self.function = (self.again)()?;
        }
        Ok(())
    }
}

impl<G: Gathered> GroupsAccumulator for Groups<G> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.kept.resize(total);
        self.function.update(&mut self.kept, values, groups, filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.kept.resize(total);
        merge(&mut self.function, &mut self.kept, states, groups)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let answer = self.function.answer(&mut self.kept.take(emit))?;
        self.after(emit)?;
        Ok(answer)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let state = state(&self.function, &mut self.kept.take(emit))?;
        self.after(emit)?;
        Ok(state)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let (mut function, mut kept) = ((self.again)()?, Buckets::default());
        kept.resize(rows);
        let each: Vec<usize> = (0..rows).collect();
        function.update(&mut kept, values, &each, filter)?;
        state(&function, &mut kept)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.size() + self.function.size()
    }
}

fn merge<G: Gathered>(
    function: &mut G,
    to: &mut Buckets<G::Kept>,
    states: &[ArrayRef],
    groups: &[usize],
) -> Result<()> {
    let mut owners = vec![];
    let offsets = states[0].as_list::<i32>().offsets();
    for (group, ends) in groups.iter().zip(offsets.windows(2)) {
        owners.extend(std::iter::repeat_n(*group, (ends[1] - ends[0]) as usize));
    }
    let cells = |lists: &ArrayRef| {
        let lists = lists.as_list::<i32>();
        let (from, to) = (lists.offsets()[0], lists.offsets()[lists.len()]);
        lists.values().slice(from as usize, (to - from) as usize)
    };
    let cells: Vec<ArrayRef> = states.iter().map(cells).collect();
    function.merge(to, &cells, &owners)
}

fn state<G: Gathered>(function: &G, kept: &mut Buckets<G::Kept>) -> Result<Vec<ArrayRef>> {
    let mut lengths = Vec::with_capacity(kept.groups());
    kept.each_group(|cells, _| lengths.push(cells.len()));
    let columns = function.cells(kept)?.into_iter();
    columns
        .map(|cells| lists(lengths.iter().map(|it| Some(*it)), cells))
        .collect()
}

/// One group: all rows, or those of a window frame that only grows.
pub(super) struct Lone<G: Gathered> {
    function: G,
    kept: Buckets<G::Kept>,
    name: &'static str,
}

impl<G: Gathered> Lone<G> {
    pub(super) fn new(name: &'static str, function: G) -> Self {
        let mut kept = Buckets::default();
        kept.resize(1);
        Self {
            function,
            kept,
            name,
        }
    }
}

impl<G: Gathered> std::fmt::Debug for Lone<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(self.name).finish_non_exhaustive()
    }
}

impl<G: Gathered> Accumulator for Lone<G> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.function.update(&mut self.kept, values, &groups, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        merge(&mut self.function, &mut self.kept, states, &groups)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.function.answer(&mut self.kept)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = state(&self.function, &mut self.kept)?;
        let one = |column: &ArrayRef| ScalarValue::try_from_array(column, 0);
        state.iter().map(one).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.size() + self.function.size()
    }
}
