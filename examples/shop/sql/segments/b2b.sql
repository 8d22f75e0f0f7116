-- Business customers who are not inactive. They have an account manager.
CREATE SEGMENT b2b_active WITH (
  tags = 'b2b',
  action = 'Quarterly review with the account manager'
) AS
SELECT c.customer_id, c.country, o.recency_days, o.frequency, o.monetary
FROM customers AS c
JOIN customer_orders AS o ON o.customer_id = c.customer_id
WHERE c.customer_type = 'b2b'
  AND o.recency_days <= $inactive_days;

-- Private customers who order like a business: six or more pieces in one order, at least twice.
-- Offer them a business account.
CREATE SEGMENT b2b_candidates WITH (
  tags = 'b2b',
  action = 'Offer of a business account'
) AS
SELECT c.customer_id, count(*) AS large_orders, sum(b.pieces) AS pieces
FROM customers AS c
JOIN (
  SELECT o.order_id, o.customer_id, sum(l.quantity) AS pieces
  FROM orders_completed AS o
  JOIN order_lines AS l ON l.order_id = o.order_id
  GROUP BY o.order_id, o.customer_id
) AS b ON b.customer_id = c.customer_id
WHERE c.customer_type = 'b2c'
  AND b.pieces >= 6
GROUP BY c.customer_id
HAVING count(*) >= 2;
