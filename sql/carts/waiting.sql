-- Carts of known customers that wait at the as-of: not checked out, not older than
-- $carts_days days, and nothing bought since. Where orders have a date without a time,
-- one of the cart's own day counts as earlier.
CREATE VIEW carts.waiting AS
SELECT c.*, hours_since(c.created_at) AS age_hours
FROM base.carts AS c
LEFT JOIN features.last_purchases AS f ON f.customer_id = c.customer_id
WHERE c.customer_id IS NOT NULL
  AND days_since(c.created_at) <= $carts_days
  AND (c.checked_out_at IS NULL OR hours_since(c.checked_out_at) < 0)
  AND (f.last_order_at IS NULL OR f.last_order_at < c.created_at);
