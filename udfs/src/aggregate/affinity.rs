//! `affinity(value, weight)`: the share of each value.

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
    name: "affinity",
    usage: "affinity(value, weight)",
};

#[user_doc(
    doc_section(label = "Behaviour Functions"),
    description = "The share of each value in the sum of weights, as a LIST of STRUCT{value, share}: \
        the largest share first, of several the smaller value. Values whose weights sum to zero or \
        less (all of it was sent back, say) are left out, so that the shares add up to 1; where none \
        is left the result is NULL. Rows where the value or the weight is NULL count for nothing. \
        Sums of whole numbers and decimals are exact, those of floats do not depend on the order of \
        rows; a weight that is NaN or infinite is an error.",
    syntax_example = "affinity(value, weight)",
    sql_example = r#"```sql
> SELECT affinity(category, amount) AS shares
  FROM (VALUES ('dog', 5), ('cat', 2), ('dog', 4), ('cat', 1), (NULL, 99)) AS t(category, amount);
+--------------------------------------------------------+
| shares                                                 |
+--------------------------------------------------------+
| [{value: dog, share: 0.75}, {value: cat, share: 0.25}] |
+--------------------------------------------------------+
```"#,
    argument(
        name = "value",
        description = "Value of any type that can be ordered."
    ),
    argument(name = "weight", description = "Number; 1 for each row counts rows."),
    related_udf(name = "favourite")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Affinity {
    signature: Signature,
}

impl Default for Affinity {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Affinity {
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
        CALL.check_count(types.len(), 2..=2)?;
        Ok(weighed::shares_type(weighed::value_type(&CALL, types)?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(weighed::fields_of_state(args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        weighed::accumulator(&CALL, &args, Asked::Affinity)
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
        weighed::groups_accumulator(&CALL, &args, Asked::Affinity)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
