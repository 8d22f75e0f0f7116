-- Private customers who buy like a business: at least $b2b_bulk_orders orders of
-- $b2b_bulk_pieces pieces or more.
CREATE SEGMENT b2b.candidates WITH (
  key = 'customer_id',
  tags = 'b2b',
  action = 'offer of a business account'
) AS
WITH bulk AS (
  SELECT customer_id, order_id, sum(quantity) AS pieces
  FROM features.lines
  GROUP BY customer_id, order_id
  HAVING sum(quantity) >= $b2b_bulk_pieces
)
SELECT b.customer_id, count(*) AS bulk_orders, max(b.pieces) AS most_pieces
FROM bulk AS b
JOIN b2b.kinds AS k ON k.customer_id = b.customer_id AND k.kind = 'private'
GROUP BY b.customer_id
HAVING count(*) >= $b2b_bulk_orders;
