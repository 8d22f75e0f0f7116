//! Values with the sums of their weights, for `favourite` and `affinity`.
//!
//! A row is a [`Cell`] of its group: the number of its value ([`known`]) and its weight
//! ([`weight`]); cells of one value become one with the sum.

mod known;
mod weight;

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, LargeBinaryBuilder,
    StructArray,
};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, i256};
use datafusion_common::{Result, exec_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, GroupsAccumulator};

use super::buckets::{Buckets, Cells};
use super::gathered::{
    Gathered, Groups, Lone, check_distinct, counting, each_row, lists, state_fields,
};
use crate::arguments::Call;
use crate::math::reproducible_sum::ReproducibleSum;
use crate::types::{is_number, plain_or};

use known::{Known, NOTHING, Number};
use weight::{NARROW_DIGITS, Weight};

/// What is made of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Favourite,
    Affinity,
}

/// Digits of a decimal up to which it can be a weight.
const DIGITS: u8 = 38;

/// The types that the arguments are read as: weights as one of three, so that sums are exact.
pub(super) fn coerced(types: &[DataType]) -> Vec<DataType> {
    let value = types.first().map(|it| plain_or(it, DataType::Utf8View));
    let weights = types
        .iter()
        .skip(1)
        .map(|seen| match plain_or(seen, DataType::Int64) {
            it if it.is_integer() => DataType::Decimal128(NARROW_DIGITS, 0),
            it if it.is_floating() => DataType::Float64,
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits @ ..=NARROW_DIGITS, scale) => {
                DataType::Decimal128(digits, scale)
            }
            DataType::Decimal128(digits, scale) => DataType::Decimal256(digits, scale),
            other => other,
        });
    value.into_iter().chain(weights).collect()
}

/// Checks the arguments; the type of the value.
pub(super) fn value_type(call: &Call, types: &[DataType]) -> Result<DataType> {
    let value = plain_or(&types[0], DataType::Utf8View);
    if !known::is_ordered(&value) {
        let mend = "of such values none is the smaller one";
        return Err(call.wrong_type(0, "a value that can be ordered", &types[0], mend));
    }
    if let Some(seen) = types.get(1) {
        let is_wide = matches!(seen, DataType::Decimal256(digits, _) if *digits > DIGITS);
        if is_wide || !is_number(&plain_or(seen, DataType::Int64)) {
            let mend = format!("write {}(value, CAST(weight AS DECIMAL(38, 2)))", call.name);
            return Err(call.wrong_type(1, "a number of at most 38 digits", seen, &mend));
        }
    }
    Ok(value)
}

/// LIST of STRUCT{value, share}.
pub(super) fn shares_type(value: DataType) -> DataType {
    let share = DataType::Struct(share_fields(value));
    DataType::List(Arc::new(Field::new_list_field(share, true)))
}

fn share_fields(value: DataType) -> Fields {
    Fields::from(vec![
        Field::new("value", value, true),
        Field::new("share", DataType::Float64, true),
    ])
}

/// Calls `$make` for the arithmetic of the weights.
macro_rules! by_weight {
    ($args:expr, $make:ident($($arg:expr),*)) => {
        match $args.get(1).map(|field| field.data_type()) {
            None => $make::<i64>($($arg),*),
            Some(DataType::Float64) => $make::<ReproducibleSum>($($arg),*),
            Some(DataType::Decimal256(..)) => $make::<i256>($($arg),*),
            Some(_) => $make::<i128>($($arg),*),
        }
    };
}

pub(super) fn fields_of_state(args: StateFieldsArgs<'_>) -> Vec<FieldRef> {
    fn of<W: Weight>(name: &str) -> Vec<FieldRef> {
        let lists = [("values", DataType::LargeBinary), ("sums", W::state_type())];
        state_fields(name, &lists)
    }
    by_weight!(args.input_fields, of(args.name))
}

pub(super) fn accumulator(
    call: &Call,
    args: &AccumulatorArgs<'_>,
    asked: Asked,
) -> Result<Box<dyn Accumulator>> {
    fn of<W: Weight>(
        name: &'static str,
        asked: Asked,
        value: &DataType,
    ) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Lone::new(name, Weighed::<W>::new(asked, value)?)))
    }
    check_distinct(call, args)?;
    let value = args.expr_fields[0].data_type();
    by_weight!(args.expr_fields, of(call.name, asked, value))
}

pub(super) fn groups_accumulator(
    call: &Call,
    args: &AccumulatorArgs<'_>,
    asked: Asked,
) -> Result<Box<dyn GroupsAccumulator>> {
    fn of<W: Weight>(asked: Asked, value: DataType) -> Result<Box<dyn GroupsAccumulator>> {
        let again = move || Weighed::<W>::new(asked, &value);
        Ok(Box::new(Groups::new(again)?))
    }
    check_distinct(call, args)?;
    let value = args.expr_fields[0].data_type().clone();
    by_weight!(args.expr_fields, of(asked, value))
}

/// A value by its number, with a weight or the sum of several.
#[derive(Debug, Clone, Copy, Default)]
struct Cell<W> {
    value: Number,
    sum: W,
}

#[derive(Debug)]
struct Sums<W>(PhantomData<fn() -> W>);

impl<W: Weight> Cells for Sums<W> {
    type Cell = Cell<W>;

    fn settle(cells: &mut [Cell<W>], _: &[u8]) -> usize {
        cells.sort_unstable_by_key(|cell| cell.value);
        let mut kept = 0;
        for at in 1..cells.len() {
            let cell = cells[at];
            if cell.value == cells[kept].value {
                cells[kept].sum.add(cell.sum);
            } else {
                kept += 1;
                cells[kept] = cell;
            }
        }
        cells.len().min(kept + 1)
    }
}

struct Weighed<W> {
    asked: Asked,
    known: Known,
    weight: PhantomData<fn() -> W>,
}

impl<W: Weight> Weighed<W> {
    fn new(asked: Asked, value: &DataType) -> Result<Self> {
        Ok(Self {
            asked,
            known: Known::new(value)?,
            weight: PhantomData,
        })
    }

    /// Of two cells the one with the larger sum comes first, and then that of the smaller value.
    fn before(&self, a: &Cell<W>, b: &Cell<W>) -> Ordering {
        let values = || self.known.value(a.value).cmp(self.known.value(b.value));
        b.sum.order(&a.sum).then_with(values)
    }

    fn favourites(&self, kept: &mut Buckets<Sums<W>>) -> Result<ArrayRef> {
        let mut found = Vec::with_capacity(kept.groups());
        let mut is_endless = false;
        kept.each_group(|cells, _| {
            is_endless |= cells.iter().any(|it| it.sum.to_double().is_infinite());
            let first = cells.iter().min_by(|a, b| self.before(a, b));
            found.push(first.map_or(NOTHING, |cell| cell.value));
        });
        if is_endless {
            return exec_err!("favourite: the weights add up to more than a DOUBLE can hold");
        }
        self.known.array(&found)
    }

    fn shares(&self, kept: &mut Buckets<Sums<W>>) -> Result<ArrayRef> {
        let mut lengths = Vec::with_capacity(kept.groups());
        let (mut values, mut shares) = (vec![], vec![]);
        let mut largest = 0.0_f64;
        kept.each_group(|cells, _| {
            let nothing = W::default();
            let positive = cells.iter().filter(|it| it.sum.order(&nothing).is_gt());
            let mut positive: Vec<Cell<W>> = positive.copied().collect();
            positive.sort_unstable_by(|a, b| self.before(a, b));
            let mut total = nothing;
            positive.iter().for_each(|cell| total.add(cell.sum));
            let total = total.to_double();
            largest = largest.max(total);
            lengths.push((!positive.is_empty()).then_some(positive.len()));
            values.extend(positive.iter().map(|cell| cell.value));
            shares.extend(positive.iter().map(|cell| cell.sum.to_double() / total));
        });
        if largest.is_infinite() {
            return exec_err!("affinity: the weights add up to more than a DOUBLE can hold");
        }
        let values = self.known.array(&values)?;
        let fields = share_fields(values.data_type().clone());
        let shares: ArrayRef = Arc::new(Float64Array::from(shares));
        let shares = StructArray::try_new(fields, vec![values, shares], None)?;
        lists(lengths.into_iter(), Arc::new(shares))
    }
}

impl<W: Weight> Gathered for Weighed<W> {
    type Kept = Sums<W>;

    fn update(
        &mut self,
        to: &mut Buckets<Sums<W>>,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let counting = counting(values, filter);
        let rows = self.known.rows(&values[0])?;
        let ones = || Arc::new(Int64Array::from_value(1, groups.len())) as ArrayRef;
        let weights = values.get(1).cloned().unwrap_or_else(ones);
        each_row(groups.len(), counting.as_ref(), |row| {
            let sum = W::of(&weights, row)?;
            let value = self.known.number(rows.row(row).as_ref())?;
            to.push(groups[row], |_| Cell { value, sum });
            Ok(())
        })
    }

    fn merge(
        &mut self,
        to: &mut Buckets<Sums<W>>,
        values: &[ArrayRef],
        groups: &[usize],
    ) -> Result<()> {
        let bytes = values[0].as_binary::<i64>();
        for (row, group) in groups.iter().enumerate() {
            let sum = W::of(&values[1], row)?;
            let value = self.known.number(bytes.value(row))?;
            to.push(*group, |_| Cell { value, sum });
        }
        Ok(())
    }

    fn answer(&self, kept: &mut Buckets<Sums<W>>) -> Result<ArrayRef> {
        match self.asked {
            Asked::Favourite => self.favourites(kept),
            Asked::Affinity => self.shares(kept),
        }
    }

    fn cells(&self, kept: &mut Buckets<Sums<W>>) -> Result<Vec<ArrayRef>> {
        let mut values = LargeBinaryBuilder::new();
        let mut sums = vec![];
        kept.each_group(|cells, _| {
            for cell in cells {
                values.append_value(self.known.value(cell.value));
                sums.push(cell.sum);
            }
        });
        Ok(vec![Arc::new(values.finish()), W::state(sums)?])
    }

    fn size(&self) -> usize {
        self.known.size()
    }
}
