//! Constants and columns alike: calls over arrays, with a constant answer where every argument
//! is one.

use arrow::array::ArrayRef;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::ColumnarValue;

/// How many rows a call has to compute: one where nothing but constants went in.
pub(crate) fn rows(args: &[ColumnarValue], number_rows: usize) -> usize {
    if all_constant(args) { 1 } else { number_rows }
}

/// The answer for [`rows`] rows, as a constant where every argument is one.
pub(crate) fn answer(args: &[ColumnarValue], array: ArrayRef) -> Result<ColumnarValue> {
    if all_constant(args) {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
            &array, 0,
        )?));
    }
    Ok(ColumnarValue::Array(array))
}

fn all_constant(args: &[ColumnarValue]) -> bool {
    args.iter()
        .all(|arg| matches!(arg, ColumnarValue::Scalar(_)))
}
