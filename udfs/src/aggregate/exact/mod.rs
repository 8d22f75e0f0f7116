//! Sums and means that depend on the values alone: not on their order, and never on a wrap.
//!
//! What is known of one sum is a [`Total`], of the sums of many groups [`GroupTotals`]; doubles
//! and whole numbers have their own. What DataFusion asks for is built from them once for both.

use std::fmt::Debug;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Field, FieldRef,
    Int64Type, UInt64Type,
};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

mod distinct;
mod doubles;
mod groups;
mod narrow;
mod single;
#[cfg(test)]
mod tests;
mod whole;

use distinct::Distinct;
use doubles::{DoubleFrame, DoubleGroups, DoubleTotal};
use groups::{Means, Sums};
use single::{Frame, Single};
use whole::{WholeGroups, WholeTotal};

use super::distinct::groups_accumulator_over;
use super::occurrences::plain_of;

pub(super) use doubles::{STATE_BYTES, read, write};

/// What is made of a sum at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Sum,
    Mean,
}

/// The types that a sum goes through.
#[derive(Debug, Clone)]
struct Types {
    input: DataType,
    output: DataType,
}

/// One sum.
trait Total: Debug + Send + Sync + 'static {
    type Input: ArrowPrimitiveType + Debug;

    fn new(types: &Types) -> Self;
    fn extend(&mut self, values: &PrimitiveArray<Self::Input>);
    fn sum(&self) -> Result<ScalarValue>;
    fn mean(&self, count: u64) -> Result<ScalarValue>;
    fn size(&self) -> usize;
}

/// One sum that can be handed on and added to another.
trait Partial: Total {
    fn state(&self) -> Result<ScalarValue>;
    fn merge(&mut self, states: &ArrayRef) -> Result<()>;
}

/// One sum whose values may leave again.
trait Reversible: Total {
    fn put(&mut self, value: <Self::Input as ArrowPrimitiveType>::Native);
    fn take(&mut self, value: <Self::Input as ArrowPrimitiveType>::Native);
}

/// The sums of many groups; NULL for those without values.
trait GroupTotals: Debug + Send + 'static {
    fn new(types: &Types) -> Self;
    fn update(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()>;
    fn merge(&mut self, states: &ArrayRef, groups: &[usize], total: usize) -> Result<()>;
    fn state(&mut self, emit: EmitTo) -> Result<ArrayRef>;
    fn sums(&mut self, emit: EmitTo) -> Result<ArrayRef>;
    fn means(&mut self, emit: EmitTo, counts: &[u64]) -> Result<ArrayRef>;
    /// Each value as a state of its own.
    fn as_states(&self, values: &ArrayRef, filter: Option<&BooleanArray>) -> Result<ArrayRef>;
    fn size(&self) -> usize;
}

/// Digits of a decimal up to which 10^10 values fit into 128 bits.
const NARROW_DIGITS: u8 = 28;

/// Calls `$make` for the arithmetic of a type; `None` for types that are none of ours.
macro_rules! by_type {
    ($data_type:expr, $doubles:ty, $whole:ident, $make:ident($($arg:expr),*)) => {
        match $data_type {
            DataType::Float64 => Some($make::<$doubles>($($arg),*)),
            DataType::Int64 => Some($make::<$whole<Int64Type, Decimal128Type>>($($arg),*)),
            DataType::UInt64 => Some($make::<$whole<UInt64Type, Decimal128Type>>($($arg),*)),
            DataType::Decimal32(..) => {
                Some($make::<$whole<Decimal32Type, Decimal128Type>>($($arg),*))
            }
            DataType::Decimal64(..) => {
                Some($make::<$whole<Decimal64Type, Decimal128Type>>($($arg),*))
            }
            DataType::Decimal128(..=NARROW_DIGITS, _) => {
                Some($make::<$whole<Decimal128Type, Decimal128Type>>($($arg),*))
            }
            DataType::Decimal128(..) => {
                Some($make::<$whole<Decimal128Type, Decimal256Type>>($($arg),*))
            }
            DataType::Decimal256(..) => {
                Some($make::<$whole<Decimal256Type, Decimal256Type>>($($arg),*))
            }
            _ => None,
        }
    };
}

fn types(args: &AccumulatorArgs<'_>) -> Types {
    Types {
        input: args.expr_fields[0].data_type().clone(),
        output: args.return_type().clone(),
    }
}

/// Is this type summed here? All others are left to DataFusion.
pub(super) fn is_ours(data_type: &DataType) -> bool {
    fn yes<T>() {}
    by_type!(data_type, DoubleTotal, WholeTotal, yes()).is_some()
}

/// An accumulator that only grows, for types of ours.
pub(super) fn accumulator(
    args: &AccumulatorArgs<'_>,
    asked: Asked,
) -> Option<Box<dyn Accumulator>> {
    fn single<T: Partial>(asked: Asked, types: &Types) -> Box<dyn Accumulator> {
        Box::new(Single::<T>::new(asked, types))
    }
    if args.is_distinct {
        return sliding_accumulator(args, asked);
    }
    let types = types(args);
    by_type!(&types.input, DoubleTotal, WholeTotal, single(asked, &types))
}

/// An accumulator for a window frame whose start moves, for types of ours.
pub(super) fn sliding_accumulator(
    args: &AccumulatorArgs<'_>,
    asked: Asked,
) -> Option<Box<dyn Accumulator>> {
    fn frame<T: Reversible>(asked: Asked, types: &Types) -> Box<dyn Accumulator> {
        Box::new(Frame::<T>::new(asked, types))
    }
    fn distinct<T: Reversible>(asked: Asked, types: &Types) -> Box<dyn Accumulator> {
        Box::new(Distinct::<T>::new(asked, types))
    }
    let types = types(args);
    match args.is_distinct {
        true => by_type!(
            &types.input,
            DoubleFrame,
            WholeTotal,
            distinct(asked, &types)
        ),
        false => by_type!(&types.input, DoubleFrame, WholeTotal, frame(asked, &types)),
    }
}

/// An accumulator for many groups, for types of ours.
pub(super) fn groups_accumulator(
    args: &AccumulatorArgs<'_>,
    asked: Asked,
) -> Result<Option<Box<dyn GroupsAccumulator>>> {
    fn groups<T: GroupTotals>(asked: Asked, types: &Types) -> Box<dyn GroupsAccumulator> {
        match asked {
            Asked::Sum => Box::new(Sums::<T>::new(types)),
            Asked::Mean => Box::new(Means::<T>::new(types)),
        }
    }
    let types = types(args);
    let groups = by_type!(
        &types.input,
        DoubleGroups,
        WholeGroups,
        groups(asked, &types)
    );
    match groups {
        Some(groups) if args.is_distinct => {
            let plain = plain_of(&types.input)?;
            groups_accumulator_over(plain, types.input, groups).map(Some)
        }
        groups => Ok(groups),
    }
}

/// What the accumulators hand on, for types of ours.
pub(super) fn state_fields(args: &StateFieldsArgs<'_>, asked: Asked) -> Result<Vec<FieldRef>> {
    let input = args.input_fields[0].data_type();
    let field = |what: &str, data_type| {
        FieldRef::new(Field::new(
            format_state_name(args.name, what),
            data_type,
            true,
        ))
    };
    if args.is_distinct {
        return Ok(plain_of(input)?.state_fields(args.name));
    }
    let sum = field("sum", state_type(input));
    Ok(match asked {
        Asked::Sum => vec![sum],
        Asked::Mean => vec![field("count", DataType::UInt64), sum],
    })
}

fn state_type(input: &DataType) -> DataType {
    match input {
        DataType::Float64 => doubles::state_type(),
        DataType::Decimal128(..=NARROW_DIGITS, _) => whole::state_type::<Decimal128Type>(input),
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            whole::state_type::<Decimal256Type>(input)
        }
        _ => whole::state_type::<Decimal128Type>(input),
    }
}

/// What `sum` and `avg` answer alike: types of ours from here, all others from DataFusion's own,
/// which the function keeps in `other`.
macro_rules! handed_over {
    ($asked:expr) => {
        fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
            match exact::is_ours(args.input_fields[0].data_type()) {
                true => exact::state_fields(&args, $asked),
                false => self.other.state_fields(args),
            }
        }

        fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
            match exact::accumulator(&args, $asked) {
                Some(accumulator) => Ok(accumulator),
                None => self.other.accumulator(args),
            }
        }

        fn create_sliding_accumulator(
            &self,
            args: AccumulatorArgs<'_>,
        ) -> Result<Box<dyn Accumulator>> {
            match exact::sliding_accumulator(&args, $asked) {
                Some(accumulator) => Ok(accumulator),
                None => self.other.create_sliding_accumulator(args),
            }
        }

        fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
            match exact::is_ours(args.expr_fields[0].data_type()) {
                true => true,
                false => self.other.groups_accumulator_supported(args),
            }
        }

        fn create_groups_accumulator(
            &self,
            args: AccumulatorArgs<'_>,
        ) -> Result<Box<dyn GroupsAccumulator>> {
            match exact::groups_accumulator(&args, $asked)? {
                Some(accumulator) => Ok(accumulator),
                None => self.other.create_groups_accumulator(args),
            }
        }

        fn reverse_expr(&self) -> ReversedUDAF {
            ReversedUDAF::Identical
        }

        fn order_sensitivity(&self) -> AggregateOrderSensitivity {
            AggregateOrderSensitivity::Insensitive
        }
    };
}

pub(super) use handed_over;
