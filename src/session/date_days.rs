//! Days added to a date and taken from it: `DATE '2026-01-31' - 30`.
//!
//! DataFusion 55 makes the number an interval on the way over a duration. Where it then
//! works out the range of a condition (`day - n <= DATE '2026-01-31'`), the way back from
//! interval to number fails: the query does, and a build with debug assertions panics.
//! Here the date becomes the number of its day instead, and the sum a date again; a day
//! beyond those of the type is an error.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Plans sums of dates and whole numbers.
#[derive(Debug)]
pub(super) struct DateDays;

impl ExprPlanner for DateDays {
    fn plan_binary_op(
        &self,
        raw: RawBinaryExpr,
        schema: &DFSchema,
    ) -> PlanResult<PlannerResult<RawBinaryExpr>> {
        let is_date = |expr: &Expr| matches!(expr.get_type(schema), Ok(DataType::Date32));
        let is_whole = |expr: &Expr| expr.get_type(schema).is_ok_and(|it| it.is_integer());
        let of_day = is_date(&raw.left) && is_whole(&raw.right);
        let op = match raw.op {
            BinaryOperator::Minus if of_day => Operator::Minus,
            BinaryOperator::Plus if of_day => Operator::Plus,
            BinaryOperator::Plus if is_whole(&raw.left) && is_date(&raw.right) => Operator::Plus,
            _ => return Ok(PlannerResult::Original(raw)),
        };
        let sum = BinaryExpr::new(
            Box::new(days(raw.left, &is_date)),
            op,
            Box::new(days(raw.right, &is_date)),
        );
        let day = cast(Expr::BinaryExpr(sum), DataType::Int32);
        Ok(PlannerResult::Planned(cast(day, DataType::Date32)))
    }
}

/// A date as the number of its day, a number as it is, wide enough for their sum.
fn days(expr: Expr, is_date: &dyn Fn(&Expr) -> bool) -> Expr {
    match is_date(&expr) {
        true => cast(cast(expr, DataType::Int32), DataType::Int64),
        false => cast(expr, DataType::Int64),
    }
}
