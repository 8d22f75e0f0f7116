//! What a project sells and to whom, as the library's contracts hold its views: for table
//! functions that work without any library being included.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};

use super::arguments::Call;
use crate::catalog::key::common_type;
use crate::error::Result;

/// A view of the project, and the columns of its contract that are read.
pub(super) type Read = (&'static str, &'static [&'static str]);

/// Plans a query over these views, which have the columns of their contracts.
pub(super) fn over_views(call: &Call<'_>, views: &[Read], sql: &str) -> Result<LogicalPlan> {
    let binder = call.binder();
    let mut given = vec![];
    for (view, columns) in views {
        given.push((*view, binder.contract(view, columns, call.function.name)?));
    }
    with_common_ids(&mut given)?;
    binder.over(sql, &given)
}

/// What views are joined by.
const IDS: [&str; 2] = ["order_id", "product_id"];

/// Brings ids to a type in which all of them can be compared: numbers in one view and texts in
/// another are texts.
fn with_common_ids(given: &mut [(&str, LogicalPlan)]) -> Result<()> {
    for id in IDS {
        let type_of = |plan: &LogicalPlan| {
            let field = plan.schema().field_with_unqualified_name(id).ok()?;
            Some(Ok(field.data_type().clone()))
        };
        let types: Vec<_> = given.iter().filter_map(|(_, plan)| type_of(plan)).collect();
        if types.is_empty() {
            continue;
        }
        let common = common_type(types)?;
        for (_, plan) in given.iter_mut() {
            if type_of(plan).is_some() {
                *plan = with_type(plan, id, &common)?;
            }
        }
    }
    Ok(())
}

fn with_type(plan: &LogicalPlan, name: &str, wanted: &DataType) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().map(|column| {
        let is_it = column.name == name;
        let expr = Expr::Column(column);
        match is_it {
            true => cast(expr, wanted.clone()).alias(name),
            false => expr,
        }
    });
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan.clone())
        .project(columns)?
        .build()?)
}
