//! `count(x)`: DataFusion's, but for how `DISTINCT` keeps what it has seen.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature, StatisticsArgs,
};
use datafusion_functions_aggregate::count;
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;

use super::distinct::{self, Plain};

/// Counts rows, values that are not NULL, and with `DISTINCT` those that differ; of several
/// arguments the rows where none is NULL.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Count(count::Count);

/// How the distinct values of arguments are kept; `None` if nothing of the kind is asked for or
/// known.
fn plain(is_distinct: bool, fields: &[FieldRef]) -> Result<Option<Plain>> {
    if !is_distinct {
        return Ok(None);
    }
    let types: Vec<DataType> = fields.iter().map(|it| it.data_type().clone()).collect();
    Plain::of_types(&types)
}

impl AggregateUDFImpl for Count {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        self.0.is_nullable()
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        match plain(args.is_distinct, args.input_fields)? {
            Some(plain) => Ok(plain.state_fields(args.name)),
            None => self.0.state_fields(args),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match plain(args.is_distinct, args.expr_fields)? {
            Some(plain) => Ok(distinct::accumulator(plain)),
            None => self.0.accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match plain(args.is_distinct, args.expr_fields) {
            Ok(Some(_)) => true,
            _ => self.0.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match plain(args.is_distinct, args.expr_fields)? {
            Some(plain) => Ok(distinct::groups_accumulator(plain)),
            None => self.0.create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.0.default_value(data_type)
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.0.value_from_stats(statistics)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}
