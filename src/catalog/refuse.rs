//! A condition that no row may meet.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::error::Error;

/// `refuse(is_wrong, message, hint)`: false, and fails on the first row that is
/// wrong. A function, so that rows are only looked at where they may occur.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Refuse {
    signature: Signature,
}

impl Refuse {
    pub(super) fn call(wrong: Expr, message: &str, hint: &str) -> Expr {
        let function = ScalarUDF::from(Self {
            signature: Signature::exact(
                vec![DataType::Boolean, DataType::Utf8, DataType::Utf8],
                Volatility::Immutable,
            ),
        });
        function.call(vec![wrong, lit(message), lit(hint)])
    }
}

impl ScalarUDFImpl for Refuse {
    fn name(&self) -> &str {
        "refuse"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let wrong = args.args[0].to_array(args.number_rows)?;
        if as_boolean_array(&wrong)?.true_count() == 0 {
            return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(false))));
        }
        let text = |index: usize| match &args.args[index] {
            ColumnarValue::Scalar(text) => text.to_string(),
            ColumnarValue::Array(_) => String::new(),
        };
        Err(Error::new(text(1)).hint(text(2)).into())
    }
}
