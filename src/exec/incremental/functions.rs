//! Aggregate functions whose states have a fixed size and merge without loss,
//! whatever the order.

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::bool_and_or::{bool_and_udaf, bool_or_udaf};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::AggregateExec;

use super::expression::Text;

/// Adds what an aggregate computes; `None` when its state is not to be kept.
pub(super) fn describe(aggregate: &AggregateExec, text: &mut Text) -> Option<()> {
    let input = aggregate.input_schema();
    let groups = aggregate.group_expr().expr();
    text.add(&format!("groups {}", groups.len()));
    for (expression, _) in groups {
        let data_type = expression.data_type(&input).ok()?;
        // Of 0.0 and -0.0, or of two NaN, the first to come would be the key.
        if !is_plain(&data_type) || data_type.is_floating() {
            return None;
        }
        text.add(&format!("{data_type:?}"));
        text.expression(expression)?;
    }
    for (call, filter) in aggregate.aggr_expr().iter().zip(aggregate.filter_expr()) {
        describe_call(call, text, &input)?;
        text.add(&format!("filter {}", filter.is_some()));
        if let Some(filter) = filter {
            text.expression(filter)?;
        }
    }
    Some(())
}

fn describe_call(
    call: &AggregateFunctionExpr,
    text: &mut Text,
    input: &datafusion::arrow::datatypes::Schema,
) -> Option<()> {
    if call.is_distinct() || !call.order_bys().is_empty() || call.ignore_nulls() {
        return None;
    }
    let arguments = call.expressions();
    let types = arguments.iter().map(|it| it.data_type(input));
    let types: Vec<DataType> = types.collect::<Result<_, _>>().ok()?;
    if !merges_exactly(call, &types) {
        return None;
    }
    text.add(&format!(
        "call {} {:?} {types:?} {:?}",
        call.fun().name(),
        call.fun().inner(),
        call.field().data_type(),
    ));
    for state in call.state_fields().ok()? {
        if !is_plain(state.data_type()) {
            return None;
        }
        text.add(&format!("{:?}", state.data_type()));
    }
    text.add(&format!("arguments {}", arguments.len()));
    arguments.iter().try_for_each(|it| text.expression(it))
}

/// Does it come to the same in whatever parts and order rows are taken in?
pub(crate) fn merges_exactly(call: &AggregateFunctionExpr, types: &[DataType]) -> bool {
    let function = call.fun();
    let of = |known: &datafusion::logical_expr::AggregateUDF| known == function;
    if of(&min_udaf()) || of(&max_udaf()) {
        // Of 0.0 and -0.0 the first to come stays, and a NaN drives out any other.
        return !types.iter().any(DataType::is_floating);
    }
    let exact = segql_udfs::exact_aggregates();
    let others = [
        count_udaf(),
        bool_and_udaf(),
        bool_or_udaf(),
        bit_and_udaf(),
        bit_or_udaf(),
        bit_xor_udaf(),
    ];
    exact.iter().chain(&others).any(|known| of(known))
}

/// Types that are written and read back as they are.
fn is_plain(data_type: &DataType) -> bool {
    !data_type.is_nested() && !matches!(data_type, DataType::Dictionary(..))
}

/// `sum(amount), count(1) by customer_id`.
pub(super) fn about(aggregate: &AggregateExec) -> String {
    let calls = aggregate.aggr_expr().iter();
    let calls: Vec<&str> = calls
        .map(|call| call.human_display().unwrap_or(call.name()))
        .collect();
    let groups = aggregate.group_expr().expr().iter();
    let groups: Vec<&str> = groups.map(|(_, name)| name.as_str()).collect();
    match groups.is_empty() {
        true => calls.join(", "),
        false => format!("{} by {}", calls.join(", "), groups.join(", ")),
    }
}
