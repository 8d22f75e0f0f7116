//! What a project sells and to whom, as the library's contracts hold its views: for table
//! functions that work without any library being included.

use datafusion::logical_expr::LogicalPlan;

use super::arguments::Call;
use crate::catalog::{Definition, contract, library};
use crate::error::Result;
use crate::statement::Body;

/// Has the project a view of this name?
pub(super) fn has(call: &Call<'_>, view: &str) -> bool {
    let binder = call.binder();
    binder.world.catalog.find(view).is_some() || binder.inputs.tables.contains_key(view)
}

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
    binder.over(sql, &given).map_err(|error| {
        let reader = call.function.name;
        let lacking = contract::missing_in(binder, contracts.iter(), reader, &error);
        lacking.unwrap_or(error)
    })
}
