-- Carts that nobody had checked out by the as-of date.
CREATE VIEW open_carts AS
SELECT cart_id, customer_id, created_at, items, value
FROM carts
WHERE checked_out_at IS NULL OR days_since(checked_out_at) < 0;
