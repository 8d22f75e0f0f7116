//! Any aggregate of the distinct values of groups: it is fed with them when it is asked for.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, UInt32Type, UInt64Type};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{EmitTo, GroupsAccumulator};

use super::cells::{Fixed, Values};
use super::pairs::Pairs;
use super::plain::{Kind, Plain, renamed_back};

/// An accumulator of groups that gives each distinct value of a type of fixed width once to
/// another, which holds nothing between two answers.
pub(crate) fn groups_accumulator_over(
    plain: Plain,
    input: DataType,
    fed: Box<dyn GroupsAccumulator>,
) -> Result<Box<dyn GroupsAccumulator>> {
    match plain.kind {
        Kind::Bits32 => Ok(over::<Fixed<UInt32Type>>(plain, input, fed)),
        Kind::Bits64 => Ok(over::<Fixed<UInt64Type>>(plain, input, fed)),
        Kind::Bits128 => Ok(over::<Fixed<Decimal128Type>>(plain, input, fed)),
        Kind::Bits256 => Ok(over::<Fixed<Decimal256Type>>(plain, input, fed)),
        Kind::Bytes => internal_err!("bytes are not read back"),
    }
}

fn over<V: Values>(
    plain: Plain,
    input: DataType,
    fed: Box<dyn GroupsAccumulator>,
) -> Box<dyn GroupsAccumulator> {
    Box::new(OfDistinct {
        pairs: Pairs::<V>::new(plain.kind),
        plain,
        input,
        fed,
    })
}

struct OfDistinct<V: Values> {
    plain: Plain,
    pairs: Pairs<V>,
    input: DataType,
    fed: Box<dyn GroupsAccumulator>,
}

impl<V: Values> GroupsAccumulator for OfDistinct<V> {
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
        let Self { input, fed, .. } = self;
        self.pairs.feed(emit, |values, groups, total| {
            // Without a filter all groups are taken to have a value in their first batch.
            let every = BooleanArray::from(vec![true; values.len()]);
            let values = renamed_back(&values, input)?;
            fed.update_batch(&[values], groups, Some(&every), total)
        })?;
        self.fed.evaluate(EmitTo::All)
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
        size_of_val(self) + self.pairs.size() + self.fed.size()
    }
}
