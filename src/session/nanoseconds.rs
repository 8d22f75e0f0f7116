//! How long an interval or a difference of times is: a whole number of nanoseconds.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::{Result as PlanResult, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// In nanoseconds; as in PostgreSQL and DuckDB a day has 24 hours and a month 30 days.
const DAY: i128 = 24 * 60 * 60 * 1_000_000_000;
const MONTH: i128 = 30 * DAY;

/// No interval is longer: 2^31 months are 6 · 10^24 nanoseconds.
const LENGTH: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The length of an interval or of a difference of times.
pub(super) fn nanoseconds(expr: Expr) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(Nanoseconds::new())));
    FUNCTION.call(vec![expr])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Nanoseconds {
    signature: Signature,
}

impl Nanoseconds {
    fn new() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Nanoseconds {
    fn name(&self) -> &str {
        "nanoseconds"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        match types {
            [DataType::Interval(_) | DataType::Duration(_) | DataType::Null] => Ok(LENGTH),
            _ => plan_err!("only an interval has a length in time"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(lengths(array)?)),
            ColumnarValue::Scalar(value) => {
                let length = lengths(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &length, 0,
                )?))
            }
        }
    }
}

fn lengths(array: &ArrayRef) -> PlanResult<ArrayRef> {
    let lengths: Decimal128Array = match array.data_type() {
        DataType::Duration(unit) => {
            let nanos = nanoseconds_of(*unit);
            let counts = cast(array, &DataType::Int64)?;
            let counts = counts.as_primitive::<Int64Type>();
            counts.unary(|count| i128::from(count) * nanos)
        }
        _ => {
            let fields = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
            let fields = fields.as_primitive::<IntervalMonthDayNanoType>();
            fields.unary(|it| {
                i128::from(it.months) * MONTH
                    + i128::from(it.days) * DAY
                    + i128::from(it.nanoseconds)
            })
        }
    };
    Ok(Arc::new(lengths.with_data_type(LENGTH)))
}

fn nanoseconds_of(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}
