//! `segment_metrics('name', from, to [, 'outcome'])`: how those who were members at one
//! date did until another.

use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::ident;

use super::arguments::Call;
use super::crowd::{Crowd, nothing};
use super::given::in_order;
use super::in_window::{costs, key_type, no_costs, ordered_after, orders, outcome, wanted};
use crate::error::Result;

/// `CONVERTED` is what counts as doing the wanted thing, `HAS_COSTS` whether the project
/// knows any. The rows of `labels` are there for labels that nobody has.
const METRICS: &str = "
WITH bought AS (
  SELECT key, count(*) FILTER (WHERE in_window) AS orders,
         sum(amount) FILTER (WHERE in_window) AS revenue,
         bool_or(NOT in_window) AS before
  FROM orders GROUP BY key),
spent AS (SELECT key, sum(amount) AS cost FROM costs GROUP BY key),
done AS (SELECT DISTINCT key FROM wanted),
counted AS (
  SELECT people.label, count(*) AS customers, count(*) FILTER (WHERE CONVERTED) AS converted,
         sum(orders) AS orders, sum(revenue) AS revenue, sum(cost) AS cost,
         count(*) FILTER (WHERE before) AS bought_before,
         count(*) FILTER (WHERE before AND orders > 0) AS bought_again
  FROM people
  LEFT JOIN bought ON bought.key = people.key
  LEFT JOIN spent ON spent.key = people.key
  LEFT JOIN done ON done.key = people.key
  GROUP BY people.label
  UNION ALL
  SELECT label, 0, 0, 0, NULL, NULL, 0, 0 FROM labels),
summed AS (
  SELECT label, CAST(sum(customers) AS BIGINT) AS customers,
         CAST(sum(converted) AS BIGINT) AS converted,
         CAST(coalesce(sum(orders), 0) AS BIGINT) AS orders,
         coalesce(sum(revenue), 0) AS revenue,
         CASE WHEN HAS_COSTS THEN coalesce(sum(cost), 0) END AS cost,
         CAST(sum(bought_before) AS BIGINT) AS bought_before,
         CAST(sum(bought_again) AS BIGINT) AS bought_again
  FROM counted GROUP BY label)
SELECT label, customers,
       CAST(customers AS DOUBLE) / nullif(everyone, 0) AS share,
       converted, CAST(converted AS DOUBLE) / nullif(customers, 0) AS conversion,
       orders, revenue,
       CAST(revenue AS DOUBLE) / nullif(CAST(all_revenue AS DOUBLE), 0) AS revenue_share,
       CAST(revenue AS DOUBLE) / nullif(orders, 0) AS average_order,
       CAST(revenue AS DOUBLE) / nullif(customers, 0) AS revenue_per_customer,
       cost, revenue - cost AS profit, bought_before, bought_again,
       CAST(bought_again AS DOUBLE) / nullif(bought_before, 0) AS retention
FROM summed
CROSS JOIN (SELECT sum(amount) AS all_revenue FROM orders WHERE in_window) AS whole
CROSS JOIN (SELECT count(DISTINCT key) AS everyone FROM everyone) AS base
ORDER BY label NULLS LAST";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(3, 4)?;
    let (from, to) = call.span(1, 2)?;
    call.check_over(to)?;
    let reader = call.function.name;
    let crowd = Crowd::at(call, &[from])?;
    crowd.check_buys()?;
    let outcome_name = wanted(call, 3)?;
    let (orders, in_window, costs, wanted) = call.binder().at(to, |there| {
        let orders = orders(there, reader)?;
        let in_window = ordered_after(there, &orders, from)?;
        let outcome = outcome_name.map(|name| outcome(there, name, crowd.key(), from));
        let costs = costs(there, from, reader)?;
        Ok((orders, in_window, costs, outcome.transpose()?))
    })?;
    let others = costs.iter().chain(&wanted);
    let key_type = key_type(crowd.key_types(), [&orders].into_iter().chain(others))?;
    let columns = [in_window.alias("in_window"), ident("amount")];
    let sql = query(costs.is_some(), wanted.is_some());
    let costs = match costs {
        Some(costs) => costs.project(&key_type, [ident("amount")])?,
        None => no_costs(&key_type)?,
    };
    let wanted = match wanted {
        Some(rows) => rows.project(&key_type, [])?,
        None => nothing(&[("key", key_type.clone())])?,
    };
    let given = [
        ("people", crowd.people(&key_type)?),
        ("everyone", crowd.everyone(&key_type)?),
        ("labels", crowd.labels()?),
        ("orders", orders.project(&key_type, columns)?),
        ("costs", costs),
        ("wanted", wanted),
    ];
    in_order(call, call.binder().over(&sql, &given)?)
}

fn query(has_costs: bool, has_outcome: bool) -> String {
    let converted = match has_outcome {
        true => "done.key IS NOT NULL",
        false => "orders > 0",
    };
    let has_costs = if has_costs { "true" } else { "false" };
    METRICS
        .replace("CONVERTED", converted)
        .replace("HAS_COSTS", has_costs)
}
