//! `next_best('product' | 'category' | 'price_band', n [, days])`: what to offer whom.
//!
//! Item-based recommendation (Sarwar, Karypis, Konstan & Riedl 2001; Linden, Smith & York,
//! Amazon.com Recommendations, 2003): two items are as alike as the cosine of who bought them,
//! customers of both by the root of customers of one times customers of the other. The score of
//! an item is the sum over what the customer bought, where each item speaks for the twenty that
//! are most like it (Deshpande & Karypis, Item-Based Top-N Recommendation Algorithms, 2004).

use datafusion::logical_expr::LogicalPlan;

use super::arguments::Call;
use super::given::in_order;
use super::purchases::{Read, over_views};
use crate::error::{Error, Result, suggest};

/// What was bought less than so many days ago is not offered, where nothing else is said.
const DAYS: i64 = 365;

/// `WHAT` stands for who bought what and when, `SOLD_OUT` for a condition on what is offered,
/// `NEIGHBOURS` and the like for numbers. Two items that one customer alone has bought are alike
/// by chance, so that it takes `CUSTOMERS`. Which item speaks for an offer is only asked of what is
/// offered: for all that could be it would take twice the memory.
const NEXT: &str = "
WITH bought AS (
  SELECT customer_id, item, max(ordered_at) AS last_at
  FROM (WHAT) AS purchases
  WHERE item IS NOT NULL
  GROUP BY customer_id, item),
often AS (
  SELECT customer_id, item, count(*) OVER (PARTITION BY item) AS customers
  FROM bought
  QUALIFY count(*) OVER (PARTITION BY item) >= CUSTOMERS),
pairs AS (
  SELECT a.item AS one, b.item AS other,
         count(*) / sqrt(CAST(max(a.customers) AS DOUBLE) * max(b.customers)) AS likeness
  FROM often AS a JOIN often AS b ON b.customer_id = a.customer_id AND b.item > a.item
  GROUP BY a.item, b.item
  HAVING count(*) >= CUSTOMERS),
directed AS (
  SELECT CASE WHEN back THEN other ELSE one END AS item,
         CASE WHEN back THEN one ELSE other END AS offered,
         likeness
  FROM pairs CROSS JOIN (VALUES (false), (true)) AS directions(back)),
alike AS (
  SELECT item, offered, likeness
  FROM directed
  SOLD_OUT
  QUALIFY row_number() OVER (PARTITION BY item ORDER BY likeness DESC, offered) <= NEIGHBOURS),
scored AS (
  SELECT b.customer_id, a.offered AS item, sum(a.likeness) AS score
  FROM bought AS b
  JOIN alike AS a ON a.item = b.item
  LEFT JOIN bought AS known ON known.customer_id = b.customer_id AND known.item = a.offered
  WHERE known.item IS NULL OR days_since(known.last_at) >= DAYS
  GROUP BY b.customer_id, a.offered),
ranked AS (
  SELECT customer_id,
         CAST(row_number() OVER (PARTITION BY customer_id ORDER BY score DESC, item) AS BIGINT) AS rank,
         item, score
  FROM scored),
chosen AS (SELECT * FROM ranked WHERE rank <= MOST)
SELECT c.customer_id, c.rank, c.item, c.score, favourite(b.item, a.likeness) AS because
FROM chosen AS c
JOIN alike AS a ON a.offered = c.item
JOIN bought AS b ON b.customer_id = c.customer_id AND b.item = a.item
GROUP BY c.customer_id, c.rank, c.item, c.score
ORDER BY customer_id, rank";

const LINES: &str = "
SELECT o.customer_id, o.ordered_at, l.COLUMN AS item
FROM orders AS o JOIN order_lines AS l ON l.order_id = o.order_id
WHERE o.customer_id IS NOT NULL AND o.status = 'completed'";

/// Thirds of all orders by amount, as the library `value` has them.
const BANDS: &str = "
SELECT o.customer_id, o.ordered_at,
       CASE bin_of(o.amount, c.cuts) WHEN 1 THEN 'low' WHEN 2 THEN 'middle' ELSE 'high' END AS item
FROM orders AS o
CROSS JOIN (
  SELECT quantile_cuts(amount, 3) AS cuts
  FROM orders WHERE customer_id IS NOT NULL AND status = 'completed') AS c
WHERE o.customer_id IS NOT NULL AND o.status = 'completed'";

const SOLD_OUT: &str = "
WHERE NOT EXISTS (
  SELECT 1 FROM products AS p WHERE p.product_id = directed.offered AND p.stock <= 0)";

const ORDERS: Read = (
    "orders",
    &["order_id", "customer_id", "ordered_at", "status"],
);
const WITH_AMOUNTS: Read = ("orders", &["customer_id", "ordered_at", "amount", "status"]);
const PRODUCTS: [Read; 3] = [
    ORDERS,
    ("order_lines", &["order_id", "product_id"]),
    ("products", &["product_id", "stock"]),
];
const CATEGORIES: [Read; 2] = [ORDERS, ("order_lines", &["order_id", "category"])];
/// What can be offered.
const KINDS: [&str; 3] = ["product", "category", "price_band"];
/// How many customers two items need in common.
const CUSTOMERS: i64 = 2;
/// For how many others an item speaks.
const NEIGHBOURS: i64 = 20;

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(2, 3)?;
    let most = call.whole_number(1)?.ok_or_else(|| call.usage())?;
    let days = call.whole_number(2)?.unwrap_or(DAYS);
    let lines = |column| LINES.replace("COLUMN", column);
    let (what, views, sold_out) = match call.text(0) {
        Some("product") if call.binder().has_view("products") => {
            (lines("product_id"), &PRODUCTS[..], SOLD_OUT)
        }
        Some("product") => (lines("product_id"), &PRODUCTS[..2], ""),
        Some("category") => (lines("category"), &CATEGORIES[..], ""),
        Some("price_band") => (BANDS.to_owned(), &[WITH_AMOUNTS][..], ""),
        Some(other) => return Err(unknown(call, other)),
        None => return Err(call.usage()),
    };
    let query = NEXT
        .replace("WHAT", &what)
        .replace("SOLD_OUT", sold_out)
        .replace("CUSTOMERS", &CUSTOMERS.to_string())
        .replace("NEIGHBOURS", &NEIGHBOURS.to_string())
        .replace("DAYS", &days.to_string())
        .replace("MOST", &most.to_string());
    let offers = over_views(call, views, &query)?;
    match call.in_definition() {
        true => Ok(offers),
        false => in_order(call, offers),
    }
}

fn unknown(call: &Call<'_>, kind: &str) -> Error {
    Error::usage(format!("next_best offers no '{kind}'"))
        .hint_if(suggest(kind, KINDS))
        .hint(format!("write {}", call.function.call))
}
