//! The aggregate functions of carried groups.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::common::{Result as PlanResult, internal_datafusion_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

/// A call of an aggregate function.
#[derive(Debug)]
pub(crate) struct Call {
    function: Arc<AggregateFunctionExpr>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    /// Is its value also its whole state?
    is_own_state: bool,
}

impl Call {
    /// None where the function cannot be carried.
    pub(crate) fn new(
        function: Arc<AggregateFunctionExpr>,
        filter: Option<Arc<dyn PhysicalExpr>>,
    ) -> Option<Self> {
        let is_plain = function.order_bys().is_empty() && !function.ignore_nulls();
        if !is_plain || !function.groups_accumulator_supported() {
            return None;
        }
        let simple = [count_udaf(), min_udaf(), max_udaf()];
        let is_simple = simple.iter().any(|known| known.as_ref() == function.fun());
        Some(Self {
            is_own_state: is_simple && !function.is_distinct(),
            function,
            filter,
        })
    }

    pub(super) fn accumulator(&self) -> PlanResult<Box<dyn GroupsAccumulator>> {
        self.function.create_groups_accumulator()
    }

    /// Adds rows to the groups they belong to.
    pub(super) fn update(
        &self,
        accumulator: &mut Box<dyn GroupsAccumulator>,
        rows: &RecordBatch,
        groups: &[usize],
        all: usize,
    ) -> PlanResult<()> {
        let evaluate = |expression: &Arc<dyn PhysicalExpr>| {
            expression.evaluate(rows)?.into_array(rows.num_rows())
        };
        let arguments = self.function.expressions();
        let arguments: Vec<ArrayRef> = arguments.iter().map(evaluate).collect::<PlanResult<_>>()?;
        let filter = self.filter.as_ref().map(evaluate).transpose()?;
        let filter = filter.as_ref().map(|it| it.as_boolean());
        accumulator.update_batch(&arguments, groups, filter, all)
    }

    /// The values of all groups up to now; the accumulator goes on from there.
    pub(super) fn value_so_far(
        &self,
        accumulator: &mut Box<dyn GroupsAccumulator>,
        every: &[usize],
    ) -> PlanResult<ArrayRef> {
        let state = accumulator.state(EmitTo::All)?;
        let resumed = || -> PlanResult<Box<dyn GroupsAccumulator>> {
            let mut resumed = self.accumulator()?;
            resumed.merge_batch(&state, every, every.len())?;
            Ok(resumed)
        };
        *accumulator = resumed()?;
        match (self.is_own_state, state.as_slice()) {
            (true, [value]) => Ok(Arc::clone(value)),
            (true, _) => Err(internal_datafusion_err!("a state of one column")),
            (false, _) => resumed()?.evaluate(EmitTo::All),
        }
    }
}
