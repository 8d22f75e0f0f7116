-- Whoever has an abandoned cart worth $carts_valuable or more.
CREATE SEGMENT carts.valuable WITH (
  key = 'customer_id',
  tags = 'carts',
  action = 'a call, or a personal message',
  channel = 'phone'
) AS
SELECT customer_id, max(value) AS highest_value
FROM carts.waiting
WHERE value >= $carts_valuable
  AND customer_id IN (SELECT customer_id FROM carts.abandoned)
GROUP BY customer_id;
