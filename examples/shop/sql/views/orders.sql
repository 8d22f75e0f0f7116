-- Orders that were neither cancelled nor sent back.
CREATE VIEW orders_completed AS
SELECT order_id, customer_id, ordered_at, channel, shipping, discount, amount
FROM orders
WHERE status = 'completed';

-- One row per customer with a completed order: the base of most segments.
CREATE VIEW customer_orders AS
SELECT
  customer_id,
  min(ordered_at) AS first_order_at,
  max(ordered_at) AS last_order_at,
  days_since(min(ordered_at)) AS customer_for_days,
  days_since(max(ordered_at)) AS recency_days,
  count(*) AS frequency,
  sum(amount) AS monetary,
  sum(discount) AS discounts,
  count(*) FILTER (WHERE discount > 0) AS discounted_orders,
  count(*) FILTER (WHERE days_since(ordered_at) < 365) AS orders_last_year
FROM orders_completed
GROUP BY customer_id;

-- One row per customer and category bought, with the number of orders it was in.
CREATE VIEW customer_categories AS
SELECT
  o.customer_id,
  l.category,
  count(DISTINCT o.order_id) AS orders,
  sum(l.price * l.quantity) AS spent,
  max(o.ordered_at) AS last_order_at
FROM orders_completed AS o
JOIN order_lines AS l ON l.order_id = o.order_id
GROUP BY o.customer_id, l.category;

-- The share of each category in what a customer spent on goods.
CREATE VIEW category_affinity AS
SELECT
  c.customer_id,
  c.category,
  c.orders,
  c.spent,
  CAST(c.spent AS DOUBLE) / CAST(t.spent AS DOUBLE) AS share,
  days_since(c.last_order_at) AS recency_days
FROM customer_categories AS c
JOIN (
  SELECT customer_id, sum(spent) AS spent
  FROM customer_categories
  GROUP BY customer_id
) AS t ON t.customer_id = c.customer_id;
