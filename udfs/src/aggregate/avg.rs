//! `avg(x)`: as DataFusion has it, but of sums that are exact or do not depend on the order.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    Signature, Volatility,
};
use datafusion_functions_aggregate::average::avg_udaf;
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::exact::{self, Asked};
use crate::arguments::Call;
use crate::types::plain_or;

const CALL: Call = Call {
    name: "avg",
    usage: "avg(x)",
};

#[user_doc(
    doc_section(label = "General Functions"),
    description = "The mean of the values that are not NULL; NULL without any. It is the exact \
        sum, or for doubles a sum that does not depend on their order, divided once.",
    syntax_example = "avg(x)",
    sql_example = r#"```sql
> SELECT avg(x) AS mean FROM (VALUES (1), (2), (NULL), (4.5)) AS t(x);
+------+
| mean |
+------+
| 2.5  |
+------+
```"#,
    argument(
        name = "x",
        description = "Number, or difference of two times. The mean of DECIMAL(p, s) is \
            DECIMAL(p + 4, s + 4), that of other numbers DOUBLE."
    ),
    related_udf(name = "sum")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Avg {
    signature: Signature,
    /// Takes the types that are not summed here.
    other: Arc<AggregateUDF>,
    aliases: Vec<String>,
}

impl Default for Avg {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            other: avg_udaf(),
            aliases: vec!["mean".to_owned()],
        }
    }
}

/// The type that values are read as before they are summed; NULL can be a double.
fn input(seen: &DataType) -> DataType {
    match plain_or(seen, DataType::Float64) {
        other if other.is_signed_integer() => DataType::Int64,
        other if other.is_unsigned_integer() => DataType::UInt64,
        other if other.is_floating() => DataType::Float64,
        other => other,
    }
}

impl AggregateUDFImpl for Avg {
    fn name(&self) -> &str {
        CALL.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
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
        if !exact::is_ours(&input) && !matches!(input, DataType::Duration(_)) {
            let mend = "write avg(CAST(x AS DOUBLE)) if it stands for numbers";
            return Err(CALL.wrong_type(0, "a number or a difference of times", &types[0], mend));
        }
        self.other.return_type(&[input])
    }

    exact::handed_over!(Asked::Mean);

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
