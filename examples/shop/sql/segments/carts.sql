-- Left a cart behind in the last days and has not ordered since. Remind them of what is in it.
CREATE SEGMENT abandoned_carts WITH (
  tags = 'carts',
  action = 'Reminder after a day, delivery for free after three'
) AS
SELECT
  c.customer_id,
  count(*) AS carts,
  max(c.created_at) AS last_cart_at,
  max(c.value) AS highest_value
FROM open_carts AS c
LEFT JOIN customer_orders AS o ON o.customer_id = c.customer_id
WHERE days_since(c.created_at) <= $cart_days
  AND (o.last_order_at IS NULL OR o.last_order_at < c.created_at)
GROUP BY c.customer_id;

-- Left a cart worth 500 or more and has not come back. Worth a call.
CREATE SEGMENT valuable_carts WITH (
  tags = 'carts',
  action = 'Call by the shop',
  channel = 'phone'
) AS
SELECT customer_id, last_cart_at, highest_value
FROM abandoned_carts
WHERE highest_value >= 500;
