-- Orders that count: completed, by a known customer.
CREATE VIEW features.purchases AS
SELECT *
FROM base.orders
WHERE customer_id IS NOT NULL
  AND status = 'completed';

-- When everyone who ever bought did so last: for what asks whether somebody bought since.
CREATE VIEW features.last_purchases AS
SELECT customer_id, max(ordered_at) AS last_order_at
FROM features.purchases
GROUP BY customer_id;

-- One row per customer who ever bought: when first and last, how often, for how much.
-- Days are calendar days to the as-of date.
CREATE VIEW features.customers AS
SELECT
  customer_id,
  min(ordered_at) AS first_order_at,
  max(ordered_at) AS last_order_at,
  days_since(min(ordered_at)) AS customer_for_days,
  days_since(max(ordered_at)) AS recency_days,
  count(*) AS frequency,
  sum(amount) AS monetary
FROM features.purchases
GROUP BY customer_id;
