-- The channels in which somebody left an abandoned cart: a label each.
CREATE SEGMENTATION carts.channels WITH (
  key = 'customer_id',
  label = 'channel',
  multiple = true,
  tags = 'carts',
  action = 'reminder where the cart was left: in the app a push, on the web an e-mail'
) AS
SELECT customer_id, channel, count(*) AS carts
FROM carts.waiting
WHERE channel IS NOT NULL
  AND customer_id IN (SELECT customer_id FROM carts.abandoned)
GROUP BY customer_id, channel;
