-- Had a discount in more than $value_discount_share of at least $value_min_orders orders.
CREATE SEGMENT value.discount_hunters WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'clearance and outlet, never the new range'
) AS
SELECT
  customer_id,
  count(*) AS orders,
  count(*) FILTER (WHERE discount > 0) AS discounted_orders
FROM features.purchases
GROUP BY customer_id
HAVING count(*) >= $value_min_orders
  AND count(*) FILTER (WHERE discount > 0) > count(*) * CAST($value_discount_share AS DECIMAL(9, 6));

-- Sent back at least $value_return_share of at least $value_min_orders orders. Cancelled
-- ones are neither kept nor sent back.
CREATE SEGMENT value.returners WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'size and product advice before the order'
) AS
SELECT
  customer_id,
  count(*) AS orders,
  count(*) FILTER (WHERE status = 'returned') AS returned_orders
FROM base.orders
WHERE customer_id IS NOT NULL
  AND status IN ('completed', 'returned')
GROUP BY customer_id
HAVING count(*) >= $value_min_orders
  AND count(*) FILTER (WHERE status = 'returned') >= count(*) * CAST($value_return_share AS DECIMAL(9, 6));
