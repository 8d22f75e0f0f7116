//! `gini(x)`: how unequal values are.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::buckets::{Buckets, Cells};
use super::gathered::{
    Gathered, Groups, Lone, check_distinct, counting, each_row, sliding, state_fields,
};
use crate::arguments::Call;
use crate::math::gini::gini;
use crate::types::{is_number, plain_or};

const CALL: Call = Call {
    name: "gini",
    usage: "gini(x)",
};

#[user_doc(
    doc_section(label = "Behaviour Functions"),
    description = "The Gini coefficient of the values: 0 where all are equal, near 1 where one has \
        nearly everything. Half the mean difference of any two values by their mean: sorted, the \
        sum of (2i - n - 1) x_i by n times the sum of x_i (Sen 1973; `Gini` of R's package ineq), \
        without the factor n/(n - 1) for samples. NULLs are ignored; without values, and where all \
        are 0, the result is NULL; a value that is negative, NaN or infinite is an error. Takes \
        every numeric type, read as DOUBLE; the order of rows does not matter. Keeps all values in \
        memory, accounted for.",
    syntax_example = "gini(x)",
    sql_example = r#"```sql
> SELECT gini(spent) AS inequality, gini(1) AS of_equals
  FROM (VALUES (1.0), (2.0), (3.0), (4.0), (NULL)) AS t(spent);
+------------+-----------+
| inequality | of_equals |
+------------+-----------+
| 0.25       | 0.0       |
+------------+-----------+
```"#,
    argument(name = "x", description = "Number of 0 or more."),
    related_udf(name = "quantile_cuts")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Gini {
    signature: Signature,
}

impl Default for Gini {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Gini {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let read = |seen| match plain_or(seen, DataType::Float64) {
            number if is_number(&number) => DataType::Float64,
            other => other,
        };
        Ok(types.iter().map(read).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 1..=1)?;
        if !is_number(&plain_or(&types[0], DataType::Float64)) {
            let mend = "write gini(CAST(x AS DOUBLE)) if it stands for numbers";
            return Err(CALL.wrong_type(0, "a number", &types[0], mend));
        }
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(args.name, &[("values", DataType::Float64)]))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        check_distinct(&CALL, &args)?;
        Ok(Box::new(Lone::new(CALL.name, Values)))
    }

    fn create_sliding_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        sliding(&CALL)
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        check_distinct(&CALL, &args)?;
        Ok(Box::new(Groups::new(|| Ok(Values))?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// All values, in ascending order.
#[derive(Debug)]
struct All;

impl Cells for All {
    type Cell = f64;

    fn settle(cells: &mut [f64], _: &[u8]) -> usize {
        cells.sort_unstable_by(f64::total_cmp);
        cells.len()
    }
}

struct Values;

impl Gathered for Values {
    type Kept = All;

    fn update(
        &mut self,
        to: &mut Buckets<All>,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let counting = counting(values, filter);
        let values = values[0].as_primitive::<Float64Type>().values();
        each_row(groups.len(), counting.as_ref(), |row| {
            let value = values[row];
            if !value.is_finite() || value < 0.0 {
                return exec_err!(
                    "gini needs numbers of 0 or more, but got {value}; leave such rows out with \
                     FILTER (WHERE …)"
                );
            }
            // -0 is 0.
            to.push(groups[row], |_| value + 0.0);
            Ok(())
        })
    }

    fn merge(
        &mut self,
        to: &mut Buckets<All>,
        values: &[ArrayRef],
        groups: &[usize],
    ) -> Result<()> {
        let values = values[0].as_primitive::<Float64Type>().values();
        for (group, value) in groups.iter().zip(values) {
            to.push(*group, |_| *value);
        }
        Ok(())
    }

    fn answer(&self, kept: &mut Buckets<All>) -> Result<ArrayRef> {
        let mut found = Vec::with_capacity(kept.groups());
        kept.each_group(|sorted, _| found.push(gini(sorted)));
        Ok(Arc::new(Float64Array::from(found)))
    }

    fn cells(&self, kept: &mut Buckets<All>) -> Result<Vec<ArrayRef>> {
        let mut values = Vec::with_capacity(kept.settle());
        kept.each_group(|sorted, _| values.extend_from_slice(sorted));
        Ok(vec![Arc::new(Float64Array::from(values))])
    }
}
