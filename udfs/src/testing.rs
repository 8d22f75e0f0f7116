//! What the tests share: calls as the planner would make them, and their errors.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int32Type, Int64Type, Schema};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::type_coercion::functions::fields_with_udf;
use datafusion_expr::{
    Accumulator, AggregateUDF, ColumnarValue, Expr, ExprSchemable, GroupsAccumulator,
    ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, col,
};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

/// Calls a function as a query would: types coerced, return type checked, answer spread to rows.
pub(crate) fn call(udf: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> Result<ArrayRef> {
    call_with(udf, args, rows, ConfigOptions::default())
}

pub(crate) fn call_with(
    udf: &ScalarUDF,
    args: Vec<ColumnarValue>,
    rows: usize,
    config: ConfigOptions,
) -> Result<ArrayRef> {
    let field = |value: &ColumnarValue| Arc::new(Field::new("f", value.data_type(), true));
    let fields: Vec<FieldRef> = args.iter().map(field).collect();
    let fields = fields_with_udf(&fields, udf)?;
    let cast = |(value, field): (&ColumnarValue, &FieldRef)| value.cast_to(field.data_type(), None);
    let args: Vec<ColumnarValue> = args.iter().zip(&fields).map(cast).collect::<Result<_>>()?;
    let scalar_arguments: Vec<_> = args
        .iter()
        .map(|value| match value {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let return_field = udf.return_field_from_args(ReturnFieldArgs {
        arg_fields: &fields,
        scalar_arguments: &scalar_arguments,
    })?;
    let answer = udf.invoke_with_args(ScalarFunctionArgs {
        args,
        arg_fields: fields,
        number_rows: rows,
        return_field: Arc::clone(&return_field),
        config_options: Arc::new(config),
    })?;
    let array = answer.into_array(rows)?;
    assert_eq!(
        array.data_type(),
        return_field.data_type(),
        "the promised type"
    );
    assert_eq!(array.len(), rows, "the number of rows");
    Ok(array)
}

pub(crate) fn simplify(udf: &ScalarUDF, args: Vec<Expr>) -> Expr {
    match udf.simplify(args, &SimplifyContext::default()).unwrap() {
        ExprSimplifyResult::Simplified(expr) => expr,
        ExprSimplifyResult::Original(args) => udf.call(args),
    }
}

fn columns(types: &[DataType]) -> (DFSchema, Vec<Expr>) {
    let field =
        |(i, data_type): (usize, &DataType)| Field::new(format!("c{i}"), data_type.clone(), true);
    let schema = Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>());
    let args = (0..types.len()).map(|i| col(format!("c{i}"))).collect();
    (DFSchema::try_from(schema).unwrap(), args)
}

/// What a user reads where a call with such columns is planned.
pub(crate) fn plan_error(udf: &ScalarUDF, types: &[DataType]) -> String {
    let (schema, args) = columns(types);
    plan_error_of(udf.call(args), &schema)
}

pub(crate) fn plan_error_with(types: &[DataType], call: impl Fn(Vec<Expr>) -> Expr) -> String {
    let (schema, args) = columns(types);
    plan_error_of(call(args), &schema)
}

fn plan_error_of(call: Expr, schema: &DFSchema) -> String {
    call.to_field(schema).unwrap_err().strip_backtrace()
}

pub(crate) fn ints(array: &ArrayRef) -> Vec<Option<i64>> {
    array.as_primitive::<Int64Type>().iter().collect()
}

pub(crate) fn small_ints(array: &ArrayRef) -> Vec<Option<i32>> {
    array.as_primitive::<Int32Type>().iter().collect()
}

pub(crate) fn doubles(array: &ArrayRef) -> Vec<Option<f64>> {
    array.as_primitive::<Float64Type>().iter().collect()
}

pub(crate) fn accumulator(
    udf: &AggregateUDF,
    types: &[DataType],
    exprs: Vec<Arc<dyn PhysicalExpr>>,
) -> Result<Box<dyn Accumulator>> {
    with_accumulator_args(udf, types, &exprs, |args| udf.accumulator(args))
}

pub(crate) fn sliding_accumulator(
    udf: &AggregateUDF,
    types: &[DataType],
    exprs: Vec<Arc<dyn PhysicalExpr>>,
) -> Result<Box<dyn Accumulator>> {
    with_accumulator_args(udf, types, &exprs, |args| {
        udf.create_sliding_accumulator(args)
    })
}

pub(crate) fn groups_accumulator(
    udf: &AggregateUDF,
    types: &[DataType],
) -> Box<dyn GroupsAccumulator> {
    let exprs: Vec<_> = types.iter().map(|_| Constant::column()).collect();
    with_accumulator_args(udf, types, &exprs, |args| {
        udf.create_groups_accumulator(args)
    })
    .unwrap()
}

fn with_accumulator_args<T>(
    udf: &AggregateUDF,
    types: &[DataType],
    exprs: &[Arc<dyn PhysicalExpr>],
    make: impl FnOnce(AccumulatorArgs<'_>) -> Result<T>,
) -> Result<T> {
    let schema = Schema::empty();
    let field = |seen: &DataType| Arc::new(Field::new("f", seen.clone(), true));
    let expr_fields: Vec<FieldRef> = types.iter().map(field).collect();
    make(AccumulatorArgs {
        return_field: udf.return_field(&expr_fields)?,
        schema: &schema,
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "test",
        is_distinct: false,
        exprs,
        expr_fields: &expr_fields,
    })
}

/// An expression in a physical plan: a literal, or a column (which has no value of its own).
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Constant(Option<ScalarValue>);

impl Constant {
    pub(crate) fn of(value: i64) -> Arc<dyn PhysicalExpr> {
        Arc::new(Self(Some(ScalarValue::from(value))))
    }

    pub(crate) fn column() -> Arc<dyn PhysicalExpr> {
        Arc::new(Self(None))
    }
}

impl std::fmt::Display for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl PhysicalExpr for Constant {
    fn evaluate(&self, _batch: &RecordBatch) -> Result<ColumnarValue> {
        match &self.0 {
            Some(value) => Ok(ColumnarValue::Scalar(value.clone())),
            None => internal_err!("no such column"),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![]
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }

    fn fmt_sql(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The lists of DOUBLE in a column.
pub(crate) fn lists(array: &ArrayRef) -> Vec<Option<Vec<f64>>> {
    let list = |list: ArrayRef| list.as_primitive::<Float64Type>().values().to_vec();
    array
        .as_list::<i32>()
        .iter()
        .map(|row| row.map(list))
        .collect()
}

/// The scores in a column of STRUCT{r, f, m, score}.
pub(crate) fn scores(array: &ArrayRef) -> Vec<Option<[i32; 4]>> {
    let rows = array.as_struct();
    let part = |name: &str, row: usize| {
        let column = rows.column_by_name(name).expect("a score has this part");
        assert_eq!(
            column.is_null(row),
            rows.is_null(row),
            "parts are NULL with the whole"
        );
        column.as_primitive::<Int32Type>().value(row)
    };
    let score = |row: usize| ["r", "f", "m", "score"].map(|name| part(name, row));
    (0..rows.len())
        .map(|row| rows.is_valid(row).then(|| score(row)))
        .collect()
}
