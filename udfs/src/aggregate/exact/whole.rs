//! Sums of whole numbers and decimals, in an integer wide enough for all of them.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray,
};
use arrow::compute::DecimalCast;
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Int64Type,
    UInt64Type,
};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::EmitTo;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::NullState;
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::nulls::filtered_null_mask;

use super::narrow::{beyond_all, means, sums};
use super::{GroupTotals, Partial, Reversible, Total, Types};

/// Values that are added up by themselves: fewer than 2^32.
const BLOCK: usize = 1 << 16;

/// Sums of `input` as they are handed on: of all digits that the arithmetic has.
pub(super) fn state_type<S: DecimalType>(input: &DataType) -> DataType {
    let scale = match input {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    };
    (S::TYPE_CONSTRUCTOR)(S::MAX_PRECISION, scale)
}

/// A decimal in whose integers sums are computed.
pub(super) trait Wide: DecimalType<Native: DecimalCast> + Debug {}

impl<S: DecimalType<Native: DecimalCast> + Debug> Wide for S {}

/// A type whose values are added in the integers of `S`.
pub(super) trait Fits<S: Wide>:
    ArrowPrimitiveType<Native: Into<S::Native>> + Debug + Send + Sync
{
    /// The sum of some values; `None` if it goes beyond the integers.
    fn sum(values: &[Self::Native]) -> Option<S::Native> {
        values.iter().try_fold(S::Native::ZERO, |sum, value| {
            sum.add_checked((*value).into()).ok()
        })
    }
}

impl Fits<Decimal128Type> for Int64Type {
    fn sum(values: &[i64]) -> Option<i128> {
        // Counted from the smallest number up, so that all are positive.
        let from_smallest = values.iter().map(|value| (*value as u64) ^ (1 << 63));
        Some(sum_of_unsigned(from_smallest) - ((values.len() as i128) << 63))
    }
}

impl Fits<Decimal128Type> for UInt64Type {
    fn sum(values: &[u64]) -> Option<i128> {
        Some(sum_of_unsigned(values.iter().copied()))
    }
}

impl Fits<Decimal128Type> for Decimal32Type {}
impl Fits<Decimal128Type> for Decimal64Type {}
impl Fits<Decimal128Type> for Decimal128Type {}
impl Fits<Decimal256Type> for Decimal128Type {}
impl Fits<Decimal256Type> for Decimal256Type {}

/// Halves apart: both fit for up to 2^32 values, and several are added at once.
fn sum_of_unsigned(values: impl Iterator<Item = u64>) -> i128 {
    let (low, high) = values.fold((0_u64, 0_u64), |(low, high), value| {
        (low + (value & 0xffff_ffff), high + (value >> 32))
    });
    (i128::from(high) << 32) + i128::from(low)
}

/// One sum of values of `I` in the integer of `S`; also for values that leave.
#[derive(Debug)]
pub(super) struct WholeTotal<I, S: Wide> {
    sum: S::Native,
    overflowed: bool,
    types: Types,
    input: PhantomData<I>,
}

impl<I, S: Wide> WholeTotal<I, S> {
    fn add(&mut self, value: S::Native) {
        match self.sum.add_checked(value) {
            Ok(sum) => self.sum = sum,
            Err(_) => self.overflowed = true,
        }
    }

    fn array(&self) -> Result<PrimitiveArray<S>> {
        if self.overflowed {
            return Err(beyond_all(&self.types));
        }
        let array = PrimitiveArray::<S>::from_value(self.sum, 1);
        Ok(array.with_data_type(state_type::<S>(&self.types.input)))
    }
}

impl<I: Fits<S>, S: Wide> Total for WholeTotal<I, S> {
    type Input = I;

    fn new(types: &Types) -> Self {
        Self {
            sum: S::Native::ZERO,
            overflowed: false,
            types: types.clone(),
            input: PhantomData,
        }
    }

    fn extend(&mut self, values: &PrimitiveArray<I>) {
        if values.null_count() == 0 {
            values
                .values()
                .chunks(BLOCK)
                .for_each(|values| match I::sum(values) {
                    Some(sum) => self.add(sum),
                    // Too much by itself may come back with the rest.
                    None => values.iter().for_each(|value| self.add((*value).into())),
                });
        } else {
            values
                .iter()
                .flatten()
                .for_each(|value| self.add(value.into()));
        }
    }

    fn sum(&self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&sums(&self.array()?, &self.types)?, 0)
    }

    fn mean(&self, count: u64) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&means(&self.array()?, &[count], &self.types)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

impl<I: Fits<S>, S: Wide> Partial for WholeTotal<I, S> {
    fn state(&self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.array()?, 0)
    }

    fn merge(&mut self, states: &ArrayRef) -> Result<()> {
        states
            .as_primitive::<S>()
            .iter()
            .flatten()
            .for_each(|sum| self.add(sum));
        Ok(())
    }
}

impl<I: Fits<S>, S: Wide> Reversible for WholeTotal<I, S> {
    fn put(&mut self, value: I::Native) {
        self.add(value.into());
    }

    fn take(&mut self, value: I::Native) {
        match self.sum.sub_checked(value.into()) {
            Ok(sum) => self.sum = sum,
            Err(_) => self.overflowed = true,
        }
    }
}

/// The sums of groups.
#[derive(Debug)]
pub(super) struct WholeGroups<I, S: Wide> {
    sums: Vec<S::Native>,
    nulls: NullState,
    types: Types,
    input: PhantomData<I>,
}

impl<I, S: Wide> WholeGroups<I, S> {
    fn add<T: ArrowPrimitiveType<Native: Into<S::Native>> + Send>(
        &mut self,
        values: &PrimitiveArray<T>,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, S::Native::ZERO);
        let (sums, mut overflowed) = (&mut self.sums, false);
        self.nulls
            .accumulate(groups, values, filter, total, |group, value| {
                match sums[group].add_checked(value.into()) {
                    Ok(sum) => sums[group] = sum,
                    Err(_) => overflowed = true,
                }
            });
        match overflowed {
            true => Err(beyond_all(&self.types)),
            false => Ok(()),
        }
    }

    fn take(&mut self, emit: EmitTo) -> PrimitiveArray<S> {
        let sums = emit.take_needed(&mut self.sums);
        let array = PrimitiveArray::<S>::new(sums.into(), self.nulls.build(emit));
        array.with_data_type(state_type::<S>(&self.types.input))
    }
}

impl<I: Fits<S>, S: Wide> GroupTotals for WholeGroups<I, S> {
    fn new(types: &Types) -> Self {
        Self {
            sums: vec![],
            nulls: NullState::new(),
            types: types.clone(),
            input: PhantomData,
        }
    }

    fn update(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.add(values.as_primitive::<I>(), groups, filter, total)
    }

    fn merge(&mut self, states: &ArrayRef, groups: &[usize], total: usize) -> Result<()> {
        self.add(states.as_primitive::<S>(), groups, None, total)
    }

    fn state(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.take(emit)))
    }

    fn sums(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        sums(&self.take(emit), &self.types)
    }

    fn means(&mut self, emit: EmitTo, counts: &[u64]) -> Result<ArrayRef> {
        means(&self.take(emit), counts, &self.types)
    }

    fn as_states(&self, values: &ArrayRef, filter: Option<&BooleanArray>) -> Result<ArrayRef> {
        let nulls = filtered_null_mask(filter, values);
        let wide = match values.as_primitive_opt::<S>() {
            // They are as wide as their sums: nothing is copied.
            Some(values) => values.values().clone(),
            None => {
                let values = values.as_primitive::<I>().values().iter();
                values.map(|value| (*value).into()).collect()
            }
        };
        let states = PrimitiveArray::<S>::new(wide, nulls);
        Ok(Arc::new(
            states.with_data_type(state_type::<S>(&self.types.input)),
        ))
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<S::Native>() + self.nulls.size()
    }
}
