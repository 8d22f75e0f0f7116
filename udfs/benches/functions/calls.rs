//! Calls of a scalar function over all batches of its columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::type_coercion::functions::fields_with_udf;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

use crate::columns::{BATCH, ROWS};

/// An argument of a call.
pub(crate) enum Argument {
    Column(Vec<ArrayRef>),
    Constant(ScalarValue),
}

impl Argument {
    pub(crate) fn text(value: &str) -> Self {
        Self::Constant(ScalarValue::from(value))
    }

    fn of_batch(&self, batch: usize) -> ColumnarValue {
        match self {
            Self::Column(batches) => ColumnarValue::Array(Arc::clone(&batches[batch])),
            Self::Constant(value) => ColumnarValue::Scalar(value.clone()),
        }
    }

    /// Cast to what the function takes, once for all.
    fn cast(self, wanted: &DataType) -> Self {
        match self {
            Self::Column(batches) => {
                let cast = |it: ArrayRef| arrow::compute::cast(&it, wanted).expect("casts");
                Self::Column(batches.into_iter().map(cast).collect())
            }
            Self::Constant(value) => Self::Constant(value.cast_to(wanted).expect("casts")),
        }
    }
}

fn function(name: &str) -> Arc<ScalarUDF> {
    let all = segql_udfs::all_scalar();
    let found = all.into_iter().find(|it| it.name() == name);
    found.expect("a function of this crate")
}

/// The arguments of every batch, with the types that the planner would give them.
fn prepared(function: &ScalarUDF, arguments: Vec<Argument>) -> Vec<ScalarFunctionArgs> {
    let field =
        |it: &Argument| -> FieldRef { Arc::new(Field::new("f", it.of_batch(0).data_type(), true)) };
    let fields: Vec<FieldRef> = arguments.iter().map(field).collect();
    let fields = fields_with_udf(&fields, function).expect("takes these types");
    let arguments: Vec<Argument> = arguments
        .into_iter()
        .zip(&fields)
        .map(|(it, field)| it.cast(field.data_type()))
        .collect();
    let constants: Vec<Option<&ScalarValue>> = arguments
        .iter()
        .map(|it| match it {
            Argument::Constant(value) => Some(value),
            Argument::Column(_) => None,
        })
        .collect();
    let return_field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &constants,
        })
        .expect("has a type");
    (0..ROWS / BATCH)
        .map(|batch| ScalarFunctionArgs {
            args: arguments.iter().map(|it| it.of_batch(batch)).collect(),
            arg_fields: fields.clone(),
            number_rows: BATCH,
            return_field: Arc::clone(&return_field),
            config_options: Arc::new(ConfigOptions::default()),
        })
        .collect()
}

fn bytes(value: &ColumnarValue) -> usize {
    match value {
        ColumnarValue::Array(array) => array.to_data().get_slice_memory_size().expect("has a size"),
        ColumnarValue::Scalar(_) => 0,
    }
}

/// Measures the calls of a function over all rows.
pub(crate) fn run(bencher: Bencher<'_, '_>, name: &str, arguments: Vec<Argument>) {
    let function = function(name);
    let calls = prepared(&function, arguments);
    let answer = |call: &ScalarFunctionArgs| {
        function
            .invoke_with_args(call.clone())
            .expect("has an answer")
    };
    let moved = |call: &ScalarFunctionArgs| {
        call.args.iter().map(bytes).sum::<usize>() + bytes(&answer(call))
    };
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(calls.iter().map(moved).sum::<usize>()))
        .bench_local(|| {
            calls
                .iter()
                .for_each(|call| drop(divan::black_box(answer(call))))
        });
}
