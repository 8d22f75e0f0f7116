//! How many distinct values there are where nothing is grouped, and in a window.
//!
//! A set, as a window asks after every row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, UInt32Type, UInt64Type};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;
use datafusion_functions_aggregate_common::aggregate::count_distinct::{
    BytesViewDistinctCountAccumulator, PrimitiveDistinctCountAccumulator,
};
use datafusion_physical_expr_common::binary_map::OutputType;

use super::plain::{Kind, Plain, renamed_back};

/// An accumulator for `count(DISTINCT …)`.
pub(crate) fn accumulator(plain: Plain) -> Box<dyn Accumulator> {
    let data_type = plain.kind.data_type();
    let set: Box<dyn Accumulator> = match plain.kind {
        Kind::Bits32 => Box::new(PrimitiveDistinctCountAccumulator::<UInt32Type>::new(
            &data_type,
        )),
        Kind::Bits64 => Box::new(PrimitiveDistinctCountAccumulator::<UInt64Type>::new(
            &data_type,
        )),
        Kind::Bits128 => Box::new(PrimitiveDistinctCountAccumulator::<Decimal128Type>::new(
            &data_type,
        )),
        Kind::Bits256 => Box::new(PrimitiveDistinctCountAccumulator::<Decimal256Type>::new(
            &data_type,
        )),
        Kind::Bytes => Box::new(BytesViewDistinctCountAccumulator::new(
            OutputType::BinaryView,
        )),
    };
    Box::new(DistinctCount { plain, set })
}

/// What an accumulator of one group hands on of its distinct values.
pub(crate) fn state_of(plain: &Plain, values: ArrayRef) -> Result<Vec<ScalarValue>> {
    let values = SingleRowListArrayBuilder::new(plain.of(&[values])?).with_nullable(true);
    Ok(vec![
        ScalarValue::try_new_null(&plain.kind.data_type())?,
        values.build_list_scalar(),
    ])
}

/// The values of a type of fixed width in such states, and in those of groups.
pub(crate) fn values_of(
    plain: &Plain,
    states: &[ArrayRef],
    data_type: &DataType,
) -> Result<[ArrayRef; 2]> {
    let others = plain.kind.listed(states[1].as_list());
    Ok([
        renamed_back(&states[0], data_type)?,
        renamed_back(&others, data_type)?,
    ])
}

#[derive(Debug)]
struct DistinctCount {
    plain: Plain,
    /// DataFusion's, over values of a kind.
    set: Box<dyn Accumulator>,
}

impl Accumulator for DistinctCount {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set.update_batch(&[self.plain.of(values)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set.update_batch(&states[..1])?;
        let others = self.plain.kind.listed(states[1].as_list());
        self.set.update_batch(&[others])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let kind = self.plain.kind;
        let mut state = self.set.state()?;
        let lists = state.swap_remove(0).to_array()?;
        let lists = cast(&lists, &DataType::List(kind.list_field()))?;
        let lists: ListArray = lists.as_list().clone();
        Ok(vec![
            ScalarValue::try_new_null(&kind.data_type())?,
            ScalarValue::List(Arc::new(lists)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.set.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.set.size()
    }
}
