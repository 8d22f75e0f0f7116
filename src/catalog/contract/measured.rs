//! Contracts as figures read them: also where no library was included.

use std::sync::Arc;

use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, scalar_subquery};
use datafusion::prelude::ident;

use super::{field, missing, plan, refused};
use crate::catalog::binder::Binder;
use crate::catalog::library;
use crate::catalog::refuse::Refuse;
use crate::catalog::visibility::{limit, zone_of};
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::statement::Body;

impl Binder<'_> {
    /// Has the project such a view?
    pub(in crate::catalog) fn has_view(&self, view: &str) -> bool {
        let known = self.world.catalog.find(view).is_some();
        known || self.inputs.tables.contains_key(view)
    }

    /// The rows of the project's view as its contract has them; `reader` is what needs
    /// these columns.
    pub(in crate::catalog) fn contract(
        &self,
        view: &str,
        needed: &[&str],
        reader: &str,
    ) -> Result<LogicalPlan> {
        let definition = library::contract_of(view)?;
        let Body::Contract(asked) = &definition.create.body else {
            return Err(definition.error("not a contract"));
        };
        let rows = plan(self, &definition, asked)?;
        let lacking = asked.iter().find(|it| {
            let has = |name: &str| rows.schema().has_column_with_unqualified_name(name);
            needed.contains(&it.name.as_str()) && !has(&it.name)
        });
        match lacking {
            None => Ok(rows),
            Some(lacking) => {
                let source = self.relation(view)?;
                let source = source.as_ref();
                Err(missing::lacks(self, &definition, lacking, reader, source))
            }
        }
    }

    /// Is a time of a relation's rows later than a moment?
    pub(in crate::catalog) fn is_later(
        &self,
        relation: &str,
        rows: &LogicalPlan,
        time: &str,
        moment: Moment,
    ) -> Result<Expr> {
        let known = self.world.catalog.find(relation);
        let name = known.map_or(relation, |it| it.name.as_str());
        let zone = match self.inputs.sources.get(name) {
            Some(Ok((_, options))) => zone_of(options, &moment)?,
            _ => moment.zone(),
        };
        let data_type = rows.schema().field_with_unqualified_name(time)?.data_type();
        let limit = limit(time, data_type, &moment, zone)?;
        Ok(ident(time).gt(lit(limit)))
    }

    /// The amounts of costs, which fail where they are in another currency than orders.
    pub(in crate::catalog) fn in_currency_of_orders(&self, costs: &LogicalPlan) -> Result<Expr> {
        let amount = ident("amount");
        let view = self.relation("orders")?;
        if field(&view.schema(), "currency").is_none() || !self.costs_have_currency()? {
            return Ok(amount);
        }
        let orders = self.contract("orders", &["currency"], "profit")?;
        let one = |rows: &LogicalPlan, end: Expr| -> Result<Expr> {
            let rows = LogicalPlanBuilder::from(rows.clone());
            let one = rows.aggregate(Vec::<Expr>::new(), [end])?;
            Ok(scalar_subquery(Arc::new(one.build()?)))
        };
        let currency = || ident("currency");
        let (first, last) = (
            one(&orders, min(currency()))?,
            one(&orders, max(currency()))?,
        );
        // Orders of several currencies have an error of their own.
        let differ = one(costs, min(currency()))?
            .not_eq(first.clone())
            .and(first.eq(last));
        let message = "costs are in another currency than orders: no profit can be told";
        let hint = "convert the amounts of costs into the currency of orders";
        refused(amount, Refuse::call(differ, message, hint))
    }

    fn costs_have_currency(&self) -> Result<bool> {
        let costs = self.relation("costs")?;
        Ok(field(&costs.schema(), "currency").is_some())
    }
}

/// The one column of a relation that says when: the time by which a source hides what
/// comes later, else the only DATE or TIMESTAMP.
pub(in crate::catalog) fn time_of(
    binder: &Binder<'_>,
    relation: &str,
    rows: &LogicalPlan,
) -> Result<String> {
    let known = binder.world.catalog.find(relation);
    let name = known.map_or(relation, |it| it.name.as_str());
    if let Some(Ok((_, options))) = binder.inputs.sources.get(name)
        && let Some(time) = &options.event_time
    {
        return Ok(time.clone());
    }
    let fields = rows.schema().fields().iter();
    let times = fields.filter(|it| super::fits_time(it.data_type()));
    let times: Vec<&str> = times.map(|it| it.name().as_str()).collect();
    match times.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Error::new(format!("'{relation}' does not say when"))
            .hint("what counts within a window has a DATE or a TIMESTAMP; a segment needs none")),
        several => Err(Error::new(format!(
            "'{relation}' has several times: {}",
            several.join(", ")
        ))
        .hint("a view that selects the key and the time that counts says which")),
    }
}
