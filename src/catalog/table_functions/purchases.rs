//! What a project sells and to whom, as the library's contracts hold its views: for table
//! functions that work without any library being included.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};

use super::arguments::Call;
use crate::catalog::key::common_type;
use crate::catalog::{Definition, contract, library};
use crate::error::Result;
use crate::statement::Body;

/// Plans a query over these views of the project, which are called as the project calls them and
/// have the columns of their contracts.
pub(super) fn over_views(call: &Call<'_>, views: &[&str], sql: &str) -> Result<LogicalPlan> {
    let binder = call.binder();
    let contracts: Vec<Definition> = views
        .iter()
        .map(|view| library::contract_of(view))
        .collect::<Result<_>>()?;
    let mut given = vec![];
    for (view, definition) in views.iter().zip(&contracts) {
        if let Body::Contract(asked) = &definition.create.body {
            given.push((*view, contract::plan(binder, definition, asked)?));
        }
    }
    with_common_ids(&mut given)?;
    binder.over(sql, &given).map_err(|error| {
        let reader = call.function.name;
        let lacking = contract::missing_in(binder, contracts.iter(), reader, &error);
        lacking.unwrap_or(error)
    })
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
