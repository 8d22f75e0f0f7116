//! `sum(x)`: as DataFusion has it, but never wrapped and whatever the order.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, Volatility,
};
use datafusion_functions_aggregate::sum::sum_udaf;
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::exact::{self, Asked};
use crate::arguments::Call;
use crate::types::plain_or;

const CALL: Call = Call {
    name: "sum",
    usage: "sum(x)",
};

#[user_doc(
    doc_section(label = "General Functions"),
    description = "The sum of the values that are not NULL; NULL without any. The sum of doubles \
        does not depend on their order; that of whole numbers and decimals is exact, and an \
        error where it does not fit its type.",
    syntax_example = "sum(x)",
    sql_example = r#"```sql
> SELECT sum(x) AS total FROM (VALUES (0.1), (0.2), (NULL), (0.3)) AS t(x);
+-------+
| total |
+-------+
| 0.6   |
+-------+
```"#,
    argument(
        name = "x",
        description = "Number or interval. The sum of whole numbers is BIGINT, or BIGINT UNSIGNED \
            if they are unsigned; that of DECIMAL(p, s) is DECIMAL(p + 10, s)."
    ),
    related_udf(name = "avg")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sum {
    signature: Signature,
    /// Takes the types that are not summed here.
    other: Arc<AggregateUDF>,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            other: sum_udaf(),
        }
    }
}

/// The type that values are read as before they are summed; NULL can be a whole number.
fn input(seen: &DataType) -> DataType {
    match plain_or(seen, DataType::Int64) {
        other if other.is_signed_integer() => DataType::Int64,
        other if other.is_unsigned_integer() => DataType::UInt64,
        other if other.is_floating() => DataType::Float64,
        other => other,
    }
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.iter().map(input).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 1..=1)?;
        let input = input(&types[0]);
        if !exact::is_ours(&input)
            && !matches!(input, DataType::Duration(_) | DataType::Interval(_))
        {
            let mend = "write sum(CAST(x AS DOUBLE)) if it stands for numbers";
            return Err(CALL.wrong_type(0, "a number or an interval", &types[0], mend));
        }
        self.other.return_type(&[input])
    }

    exact::handed_over!(Asked::Sum);

    // `simplify_expr_op_literal` is left out on purpose: sum(x) + c · count(x) for sum(x + c)
    // rounds and wraps where the sum itself does not.

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.other.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
