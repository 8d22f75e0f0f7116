-- Cost more than they paid within the last 365 days. Costs and orders are in one currency.
CREATE SEGMENT value.unprofitable WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'no paid campaigns, delivery from a larger basket'
) AS
WITH spent AS (
  SELECT customer_id, sum(amount) AS cost
  FROM base.costs
  WHERE customer_id IS NOT NULL
    AND days_since(spent_at) < 365
  GROUP BY customer_id
),
paid AS (
  SELECT customer_id, sum(amount) AS revenue
  FROM features.purchases
  WHERE days_since(ordered_at) < 365
  GROUP BY customer_id
)
SELECT s.customer_id, s.cost, coalesce(p.revenue, 0) AS revenue
FROM spent AS s
LEFT JOIN paid AS p ON p.customer_id = s.customer_id
WHERE s.cost > coalesce(p.revenue, 0);
