-- Has a subscription that runs at the as-of; one that ends on that day still does.
CREATE SEGMENTATION loyalty.subscribers WITH (
  key = 'customer_id',
  label = 'state',
  tags = 'loyalty'
) LABELS (
  running WITH (action = 'nothing to sell that they have'),
  ends_soon WITH (action = 'renewal with a thank-you')
) AS
SELECT
  customer_id,
  CASE
    WHEN bool_or(ends_at IS NULL OR days_since(ends_at) < -$loyalty_soon_days) THEN 'running'
    ELSE 'ends_soon'
  END AS state,
  count(*) AS subscriptions
FROM base.subscriptions
WHERE customer_id IS NOT NULL
  AND (ends_at IS NULL OR days_since(ends_at) <= 0)
GROUP BY customer_id;

-- Has points that are lost within $loyalty_soon_days days.
CREATE SEGMENT loyalty.expiring_points WITH (
  key = 'customer_id',
  tags = 'loyalty',
  action = 'reminder of the points, with what they buy'
) AS
SELECT customer_id, points, points_expire_at
FROM base.loyalty_accounts
WHERE points > 0
  AND days_since(points_expire_at) BETWEEN -$loyalty_soon_days AND 0;
