//! `favourite(value [, weight])`: the value that weighs most.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::gathered::sliding;
use super::weighed::{self, Asked};
use crate::arguments::Call;

const CALL: Call = Call {
    name: "favourite",
    usage: "favourite(value [, weight])",
};

#[user_doc(
    doc_section(label = "Behaviour Functions"),
    description = "The value with the largest sum of weights, or without weights the most frequent \
        one; of several with the same sum the smallest. Rows where the value or the weight is NULL \
        count for nothing; without others the result is NULL. Sums of zero and less are compared \
        like any other, as in `ORDER BY sum(weight) DESC, value LIMIT 1`. Sums of whole numbers and \
        decimals are exact, those of floats do not depend on the order of rows; a weight that is \
        NaN or infinite is an error.",
    syntax_example = "favourite(value [, weight])",
    sql_example = r#"```sql
> SELECT favourite(category) AS bought_most, favourite(category, amount) AS spent_most
  FROM (VALUES ('dog', 5), ('cat', 2), ('dog', 4), ('bird', 30), (NULL, 99)) AS t(category, amount);
+-------------+------------+
| bought_most | spent_most |
+-------------+------------+
| dog         | bird       |
+-------------+------------+
```"#,
    argument(
        name = "value",
        description = "Value of any type that can be ordered."
    ),
    argument(name = "weight", description = "Number; default 1 for each row."),
    related_udf(name = "affinity")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Favourite {
    signature: Signature,
}

impl Default for Favourite {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Favourite {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(weighed::coerced(types))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 1..=2)?;
        weighed::value_type(&CALL, types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(weighed::fields_of_state(args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        weighed::accumulator(&CALL, &args, Asked::Favourite)
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
        weighed::groups_accumulator(&CALL, &args, Asked::Favourite)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
