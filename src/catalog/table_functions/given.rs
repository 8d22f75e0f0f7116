//! SQL of segql's own over relations that it is given: what a table function does is
//! written as users would write it.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::common::{ScalarValue, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, Union, lit};
use datafusion::prelude::ident;
use datafusion::sql::planner::SqlToRel;

use super::arguments::Call;
use crate::catalog::binder::{Binder, as_source};
use crate::catalog::scope::Scope;
use crate::error::{Error, Result, Script};
use crate::exec::OrderedTable;
use crate::statement::{SqlStatement, Statement, parse};

impl Binder<'_> {
    /// Plans a query over these relations. No text of a user's stands in it.
    pub(super) fn over(&self, sql: &str, given: &[(&str, LogicalPlan)]) -> Result<LogicalPlan> {
        let given: Vec<(&str, Arc<dyn TableSource>)> = given
            .iter()
            .map(|(name, plan)| (*name, as_source(plan.clone(), None)))
            .collect();
        let scope = Scope {
            binder: self,
            mentions: &[],
            hidden: vec![],
            given: &given,
            in_definition: false,
        };
        Ok(SqlToRel::new(&scope).statement_to_plan(query(sql)?)?)
    }
}

/// The rows of a plan that sorts them, in its order also where they are selected.
pub(super) fn in_order(call: &Call<'_>, sorted: LogicalPlan) -> Result<LogicalPlan> {
    let table = provider_as_source(Arc::new(OrderedTable::new(sorted)));
    Ok(scan(&call.to_string(), &table)?.build()?)
}

fn query(sql: &str) -> Result<SqlStatement> {
    let parsed = parse(&Arc::new(Script::new("segql", sql)))?.pop();
    match parsed.transpose()?.map(|parsed| parsed.statement) {
        Some(Statement::Sql(statement)) => Ok(*statement),
        _ => Err(Error::new(format!("no query: {sql}"))),
    }
}

/// All rows of these plans, which have the same columns. One node, however many
/// there are: nested ones would need as deep a stack.
pub(in crate::catalog) fn stacked(mut plans: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    match plans.len() {
        1 => Ok(plans.remove(0)),
        _ => {
            let plans = plans.into_iter().map(Arc::new).collect();
            Ok(LogicalPlan::Union(Union::try_new_with_loose_types(plans)?))
        }
    }
}

/// A relation to build on.
pub(super) fn scan(name: &str, source: &Arc<dyn TableSource>) -> Result<LogicalPlanBuilder> {
    let name = TableReference::bare(name);
    Ok(LogicalPlanBuilder::scan(name, Arc::clone(source), None)?)
}

/// Rows that are known, with the names of their columns.
pub(super) fn values(names: &[&str], rows: Vec<Vec<Expr>>) -> Result<LogicalPlan> {
    let columns = (1..).zip(names);
    let columns = columns.map(|(at, name)| ident(format!("column{at}")).alias(*name));
    let columns: Vec<_> = columns.collect();
    let rows = LogicalPlanBuilder::values(rows)?;
    Ok(rows.project(columns)?.build()?)
}

/// A date as a value.
pub(super) fn day(date: NaiveDate) -> Expr {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    lit(ScalarValue::Date32(Some(days as i32)))
}

/// The plan with its first column called by another name.
pub(super) fn with_first_called(plan: LogicalPlan, name: &str) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let columns = columns.into_iter().enumerate().map(|(at, column)| {
        let given = if at == 0 { name } else { column.name.as_str() };
        ident(column.name.as_str()).alias(given)
    });
    let columns: Vec<_> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}
