//! What members did within a window: orders, costs, and whatever else is wanted.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, not};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::crowd::{keyed, nothing};
use crate::catalog::binder::Binder;
use crate::catalog::contract::time_of;
use crate::catalog::key::{common_type, find_key, fits};
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::statement::Kind;

/// Rows about people, and the column that says whom.
pub(super) struct Rows {
    plan: LogicalPlan,
    key: String,
}

impl Rows {
    fn of_customers(plan: LogicalPlan) -> Self {
        let key = "customer_id".to_owned();
        Self { plan, key }
    }

    pub(super) fn key_type(&self) -> Result<DataType> {
        let field = self.plan.schema().field_with_unqualified_name(&self.key)?;
        Ok(field.data_type().clone())
    }

    /// `key` and these columns.
    pub(super) fn project(
        &self,
        key_type: &DataType,
        columns: impl IntoIterator<Item = Expr>,
    ) -> Result<LogicalPlan> {
        let columns = [keyed(&self.key, key_type)].into_iter().chain(columns);
        let rows = LogicalPlanBuilder::from(self.plan.clone());
        Ok(rows.project(columns)?.build()?)
    }
}

/// A type in which all these keys can be compared.
pub(super) fn key_type<'r>(
    crowd: Vec<Result<DataType>>,
    rows: impl IntoIterator<Item = &'r Rows>,
) -> Result<DataType> {
    let rows = rows.into_iter().map(Rows::key_type);
    common_type(crowd.into_iter().chain(rows))
}

/// Orders that count, as a moment knows them: completed, by a known customer, with
/// `ordered_at` and `amount`.
pub(super) fn orders(there: &Binder<'_>, reader: &str) -> Result<Rows> {
    let needed = ["customer_id", "ordered_at", "amount", "status"];
    let rows = there.contract("orders", &needed, reader)?;
    let counts = ident("customer_id").is_not_null();
    let counts = counts.and(ident("status").eq(lit("completed")));
    let rows = LogicalPlanBuilder::from(rows).filter(counts)?;
    Ok(Rows::of_customers(rows.build()?))
}

/// Is an order later than a moment?
pub(super) fn ordered_after(there: &Binder<'_>, orders: &Rows, moment: Moment) -> Result<Expr> {
    there.is_later("orders", &orders.plan, "ordered_at", moment)
}

/// The `amount` of each cost after `from`; none where the project has no costs.
pub(super) fn costs(there: &Binder<'_>, from: Moment, reader: &str) -> Result<Option<Rows>> {
    if !there.has_view("costs") {
        return Ok(None);
    }
    let needed = ["customer_id", "spent_at", "amount"];
    let rows = there.contract("costs", &needed, reader)?;
    let later = there.is_later("costs", &rows, "spent_at", from)?;
    let amount = there.in_currency_of_orders(&rows)?.alias("amount");
    let rows = LogicalPlanBuilder::from(rows);
    let rows = rows.filter(ident("customer_id").is_not_null().and(later))?;
    let rows = rows.project([ident("customer_id"), amount])?.build()?;
    Ok(Some(Rows::of_customers(rows)))
}

/// What is wanted: the rows of a view or source after `from`, or the members of a
/// segment as they stand in the end.
pub(super) fn outcome(there: &Binder<'_>, name: &str, key: &str, from: Moment) -> Result<Rows> {
    let catalog = there.world.catalog;
    let known = catalog.find(name);
    if known.is_some_and(|it| matches!(it.kind(), Kind::Segment | Kind::Segmentation)) {
        let members = there.members_at(name, there.evaluation.moment)?;
        if !fits(&members.key, key) {
            return Err(Error::usage(format!(
                "the outcome '{name}' is about '{}', not about '{key}'",
                members.key
            ))
            .hint(format!("take one with the key {key}")));
        }
        let plan = super::given::scan("wanted", &members.source)?.build()?;
        let key = members.key;
        return Ok(Rows { plan, key });
    }
    let source = there.relation(name)?;
    let key = find_key(name, &source.schema(), key)?;
    let rows = super::given::scan(name, &source)?.build()?;
    let time = time_of(there, name, &rows)?;
    let later = there.is_later(name, &rows, &time, from)?;
    let past = not(there.is_later(name, &rows, &time, there.evaluation.moment)?);
    let plan = LogicalPlanBuilder::from(rows)
        .filter(later.and(past))?
        .build()?;
    Ok(Rows { plan, key })
}

/// No costs.
pub(super) fn no_costs(key_type: &DataType) -> Result<LogicalPlan> {
    nothing(&[
        ("key", key_type.clone()),
        ("amount", DataType::Decimal128(18, 2)),
    ])
}

/// The outcome that an argument names.
pub(super) fn wanted<'c>(call: &Call<'c>, at: usize) -> Result<Option<&'c str>> {
    match call.count() > at {
        true => call.name(at).map(Some),
        false => Ok(None),
    }
}
