-- Retention by cohort: whoever bought first in a month, month after month, up to that of the
-- as-of. In month 0 everyone bought; retention = retained / customers, 0 where nobody came back.
CREATE VIEW features.cohorts AS
WITH bought AS (
  SELECT
    customer_id,
    CAST(date_trunc('month', ordered_at) AS DATE) AS bought_in,
    sum(amount) AS revenue,
    count(*) AS orders
  FROM features.purchases
  GROUP BY customer_id, CAST(date_trunc('month', ordered_at) AS DATE)
),
first AS (
  SELECT customer_id, min(bought_in) AS cohort
  FROM bought
  GROUP BY customer_id
),
sizes AS (
  SELECT cohort, count(*) AS customers
  FROM first
  GROUP BY cohort
),
months AS (
  SELECT s.cohort, s.customers, k.value AS month
  FROM sizes AS s
  CROSS JOIN generate_series(0, 1199) AS k
  WHERE k.value <= (extract(year FROM as_of()) - extract(year FROM s.cohort)) * 12
    + extract(month FROM as_of()) - extract(month FROM s.cohort)
),
seen AS (
  SELECT
    f.cohort,
    (extract(year FROM b.bought_in) - extract(year FROM f.cohort)) * 12
      + extract(month FROM b.bought_in) - extract(month FROM f.cohort) AS month,
    count(*) AS retained,
    sum(b.orders) AS orders,
    sum(b.revenue) AS revenue
  FROM bought AS b
  JOIN first AS f ON f.customer_id = b.customer_id
  GROUP BY 1, 2
)
SELECT
  m.cohort,
  m.month,
  m.customers,
  coalesce(s.retained, 0) AS retained,
  CAST(coalesce(s.retained, 0) AS DOUBLE) / m.customers AS retention,
  CAST(coalesce(s.orders, 0) AS BIGINT) AS orders,
  coalesce(s.revenue, 0) AS revenue
FROM months AS m
LEFT JOIN seen AS s ON s.cohort = m.cohort AND s.month = m.month;
