//! How many distinct values groups have.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::datatypes::{Decimal128Type, Decimal256Type, UInt32Type, UInt64Type};
use datafusion_common::Result;
use datafusion_expr::{EmitTo, GroupsAccumulator};

use super::cells::{Bytes, Fixed, Values};
use super::pairs::Pairs;
use super::plain::{Kind, Plain};

/// An accumulator of groups for `count(DISTINCT …)`.
pub(crate) fn groups_accumulator(plain: Plain) -> Box<dyn GroupsAccumulator> {
    fn of<V: Values>(plain: Plain) -> Box<dyn GroupsAccumulator> {
        let pairs = Pairs::<V>::new(plain.kind);
        Box::new(DistinctCounts { plain, pairs })
    }
    match plain.kind {
        Kind::Bits32 => of::<Fixed<UInt32Type>>(plain),
        Kind::Bits64 => of::<Fixed<UInt64Type>>(plain),
        Kind::Bits128 => of::<Fixed<Decimal128Type>>(plain),
        Kind::Bits256 => of::<Fixed<Decimal256Type>>(plain),
        Kind::Bytes => of::<Bytes>(plain),
    }
}

#[derive(Debug)]
struct DistinctCounts<V: Values> {
    plain: Plain,
    pairs: Pairs<V>,
}

impl<V: Values> GroupsAccumulator for DistinctCounts<V> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.pairs.resize(total);
        self.pairs.put(&self.plain.of(values)?, groups, filter);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.pairs.resize(total);
        self.pairs.merge(states, groups);
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.pairs.counts(emit))))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        self.pairs.state(emit)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.pairs.as_states(self.plain.of(values)?, filter)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.pairs.size()
    }
}
