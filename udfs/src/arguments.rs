//! The checks that every function makes on its arguments, and the words of their errors.
//!
//! The functions accept any types in `coerce_types` and check them where the return type is
//! asked for: DataFusion wraps an error of `coerce_types` into a list of candidate signatures
//! with the names of Rust types, and passes on an error of the return type as it is.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::{
    DataFusionError, Result, ScalarValue, exec_err, plan_datafusion_err, plan_err,
};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

use crate::types::sql_name;

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// A function's name and how a call of it is written, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
}

impl Call {
    pub(crate) fn check_count(&self, seen: usize, allowed: RangeInclusive<usize>) -> Result<()> {
        if allowed.contains(&seen) {
            return Ok(());
        }
        let (low, high) = (allowed.start(), allowed.end());
        let number = match (low, high) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            _ if low == high => format!("{low} arguments"),
            _ if low + 1 == *high => format!("{low} or {high} arguments"),
            _ => format!("{low} to {high} arguments"),
        };
        plan_err!(
            "{} takes {number}, but got {seen}; write {}",
            self.name,
            self.usage
        )
    }

    /// An error for the argument at `position` (from 0), naming what is needed and how to mend it.
    pub(crate) fn wrong_type(
        &self,
        position: usize,
        needs: &str,
        seen: &DataType,
        mend: &str,
    ) -> DataFusionError {
        plan_datafusion_err!(
            "{} needs {needs}, but its {} argument is {}; {mend}",
            self.name,
            ORDINALS[position.min(ORDINALS.len() - 1)],
            sql_name(seen)
        )
    }

    /// The value of an argument that must be the same for every row.
    pub(crate) fn constant<'a>(
        &self,
        what: &str,
        value: &'a ColumnarValue,
    ) -> Result<&'a ScalarValue> {
        match value {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(_) => exec_err!("{}", self.not_constant(what)),
        }
    }

    /// As [`Self::constant`], of an expression in a physical plan.
    pub(crate) fn physical_constant(
        &self,
        what: &str,
        expr: &Arc<dyn PhysicalExpr>,
    ) -> Result<ScalarValue> {
        // A column cannot be found in an empty schema: only constants have a value here.
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        match expr.evaluate(&nothing) {
            Ok(ColumnarValue::Scalar(value)) => Ok(value),
            _ => plan_err!("{}", self.not_constant(what)),
        }
    }

    fn not_constant(&self, what: &str) -> String {
        format!(
            "{} needs {what} as a constant, but it is computed from the rows",
            self.name
        )
    }

    /// A whole number within `allowed`.
    pub(crate) fn whole_number(
        &self,
        what: &str,
        value: &ScalarValue,
        allowed: RangeInclusive<i64>,
    ) -> Result<i64> {
        let number = match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) if value.data_type().is_integer() => Some(number),
            _ => None,
        };
        match number {
            Some(number) if allowed.contains(&number) => Ok(number),
            _ => {
                let (low, high) = (allowed.start(), allowed.end());
                let range = if *high == i64::MAX {
                    format!("{low} or more")
                } else {
                    format!("{low} to {high}")
                };
                plan_err!(
                    "{} needs {what} as a whole number, {range}, but got {value}",
                    self.name
                )
            }
        }
    }

    /// A text that is not NULL.
    pub(crate) fn text<'a>(&self, what: &str, value: &'a ScalarValue) -> Result<&'a str> {
        match value.try_as_str() {
            Some(Some(text)) => Ok(text),
            _ => plan_err!("{} needs {what} as text, but got {value}", self.name),
        }
    }
}

/// The types of a call's arguments.
pub(crate) fn types<'a>(args: &ReturnFieldArgs<'a>) -> Vec<&'a DataType> {
    args.arg_fields
        .iter()
        .map(|field| field.data_type())
        .collect()
}

/// The argument at `position` where the planner knows its value already.
pub(crate) fn known<'a>(args: &ReturnFieldArgs<'a>, position: usize) -> Option<&'a ScalarValue> {
    args.scalar_arguments.get(position).copied().flatten()
}
