//! Money from text: every digit that was written counts.
//!
//! Arrow's own parser cuts digits that do not fit the scale. Here a value that
//! would lose one is an error that names the column and the value.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result as PlanResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::error::Error;
use crate::sql_type::sql_type_name;

/// A text column as DECIMAL.
pub(super) fn exact_decimal(text: Expr, wanted: &DataType, column: &str) -> Expr {
    let function = ScalarUDF::from(ExactDecimal {
        signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable),
        wanted: wanted.clone(),
    });
    function.call(vec![text, lit(column)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactDecimal {
    signature: Signature,
    wanted: DataType,
}

impl ScalarUDFImpl for ExactDecimal {
    fn name(&self) -> &str {
        "exact_decimal"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> PlanResult<DataType> {
        Ok(self.wanted.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let values = args.args[0].to_array(args.number_rows)?;
        let column = match &args.args[1] {
            ColumnarValue::Scalar(name) => name.to_string(),
            ColumnarValue::Array(_) => String::new(),
        };
        let texts = values.as_string::<i32>();
        let DataType::Decimal128(_, scale) = self.wanted else {
            return Err(Error::new("only DECIMAL is read this way").into());
        };
        let fits = |text: &str| {
            let (_, fraction) = text.split_once('.').unwrap_or((text, ""));
            fraction.trim_end_matches('0').len() <= usize::try_from(scale).unwrap_or(0)
        };
        if let Some(cut) = texts.iter().flatten().find(|text| !fits(text.trim())) {
            return Err(self.wrong(&column, cut).into());
        }
        let options = CastOptions {
            safe: true,
            ..CastOptions::default()
        };
        let parsed = cast_with_options(&values, &self.wanted, &options)?;
        match unparsed(texts, &parsed) {
            None => Ok(ColumnarValue::Array(parsed)),
            Some(value) => Err(self.wrong(&column, value).into()),
        }
    }
}

impl ExactDecimal {
    fn wrong(&self, column: &str, value: &str) -> Error {
        Error::new(format!(
            "column '{column}': '{value}' does not fit {}",
            sql_type_name(&self.wanted)
        ))
        .hint(format!(
            "WITH (columns = '{column} …') gives the column another type"
        ))
    }
}

/// The first text that became NULL.
fn unparsed<'t>(texts: &'t StringArray, parsed: &ArrayRef) -> Option<&'t str> {
    if texts.null_count() == parsed.null_count() {
        return None;
    }
    let mut rows = (0..texts.len()).filter(|row| texts.is_valid(*row) && parsed.is_null(*row));
    rows.next().map(|row| texts.value(row))
}
