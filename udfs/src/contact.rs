//! What the functions of addresses and numbers share: they take texts and nothing else.

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{ReturnFieldArgs, ScalarFunctionArgs};

use crate::arguments::{Call, types};
use crate::columns::rows;
use crate::types::{is_text, plain_or};

/// Every text is read as one of plain UTF-8; another type stays, to be told of.
pub(crate) fn coerce_texts(types: &[DataType]) -> Vec<DataType> {
    let read_as = |seen| match plain_or(seen, DataType::Utf8) {
        text if is_text(&text) => DataType::Utf8,
        other => other,
    };
    types.iter().map(read_as).collect()
}

/// Fails unless there are `count` texts.
pub(crate) fn check_texts(call: &Call, args: &ReturnFieldArgs<'_>, count: usize) -> Result<()> {
    let types = types(args);
    call.check_count(types.len(), count..=count)?;
    let wrong = |seen: &DataType| !is_text(&plain_or(seen, DataType::Utf8));
    match types.iter().position(|seen| wrong(seen)) {
        None => Ok(()),
        Some(at) => {
            let mend = format!("write {}", call.usage);
            Err(call.wrong_type(at, "text", types[at], &mend))
        }
    }
}

/// An argument's texts, for as many rows as have to be computed.
pub(crate) struct Texts(ArrayRef);

impl Texts {
    pub(crate) fn of(args: &ScalarFunctionArgs, position: usize) -> Result<Self> {
        let rows = rows(&args.args, args.number_rows);
        args.args[position].to_array(rows).map(Self)
    }

    pub(crate) fn values(&self) -> &StringArray {
        self.0.as_string()
    }
}
