//! `bought_together([min_orders])`: which products are in the same orders.
//!
//! The measures are those of association rules (Agrawal, Imieliński & Swami, Mining Association
//! Rules between Sets of Items in Large Databases, 1993; lift: Brin et al. 1997). A pair is in no
//! more orders than either of its products, so that only products with enough orders are paired.

use datafusion::logical_expr::LogicalPlan;

use super::arguments::Call;
use super::given::in_order;
use super::purchases::{Read, over_views};
use crate::error::Result;

/// In how many orders a pair has to be where nothing is said: once is chance.
const MIN_ORDERS: i64 = 2;

const VIEWS: [Read; 2] = [
    ("orders", &["order_id", "customer_id", "status"]),
    ("order_lines", &["order_id", "product_id"]),
];

/// `MIN_ORDERS` stands for the number. Each pair is found once and told in both directions, as
/// it is one order of confidence to go from a to b and another to come back.
const TOGETHER: &str = "
WITH bought AS (
  SELECT DISTINCT l.order_id, l.product_id
  FROM orders AS o JOIN order_lines AS l ON l.order_id = o.order_id
  WHERE o.customer_id IS NOT NULL AND o.status = 'completed' AND l.product_id IS NOT NULL),
everything AS (SELECT count(DISTINCT order_id) AS orders FROM bought),
often AS (
  SELECT order_id, product_id, count(*) OVER (PARTITION BY product_id) AS orders
  FROM bought
  QUALIFY count(*) OVER (PARTITION BY product_id) >= MIN_ORDERS),
pairs AS (
  SELECT a.product_id AS one, b.product_id AS other, count(*) AS orders,
         max(a.orders) AS orders_of_one, max(b.orders) AS orders_of_other
  FROM often AS a JOIN often AS b ON b.order_id = a.order_id AND b.product_id > a.product_id
  GROUP BY a.product_id, b.product_id
  HAVING count(*) >= MIN_ORDERS),
directed AS (
  SELECT CASE WHEN back THEN other ELSE one END AS product_a,
         CASE WHEN back THEN one ELSE other END AS product_b,
         orders,
         CASE WHEN back THEN orders_of_other ELSE orders_of_one END AS orders_of_a,
         CASE WHEN back THEN orders_of_one ELSE orders_of_other END AS orders_of_b
  FROM pairs CROSS JOIN (VALUES (false), (true)) AS directions(back))
SELECT d.product_a, d.product_b, d.orders,
       CAST(d.orders AS DOUBLE) / e.orders AS support,
       CAST(d.orders AS DOUBLE) / d.orders_of_a AS confidence,
       CAST(d.orders AS DOUBLE) * e.orders / (CAST(d.orders_of_a AS DOUBLE) * d.orders_of_b) AS lift
FROM directed AS d CROSS JOIN everything AS e
ORDER BY orders DESC, confidence DESC, product_a, product_b";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(0, 1)?;
    let least = call.whole_number(0)?.unwrap_or(MIN_ORDERS);
    let query = TOGETHER.replace("MIN_ORDERS", &least.to_string());
    let pairs = over_views(call, &VIEWS, &query)?;
    match call.in_definition() {
        true => Ok(pairs),
        false => in_order(call, pairs),
    }
}
