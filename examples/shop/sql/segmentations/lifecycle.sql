-- Where everyone stands on the way from sign-up to inactivity; who has never bought is a prospect.
CREATE SEGMENTATION lifecycle WITH (
  label = 'stage',
  otherwise = 'prospect',
  tags = 'lifecycle'
) AS
SELECT
  customer_id,
  recency_days,
  orders_last_year,
  CASE
    WHEN recency_days > $inactive_days THEN 'inactive'
    WHEN customer_for_days <= $new_days THEN 'new'
    WHEN recency_days > $regular_days THEN 'lapsing'
    WHEN orders_last_year >= 4 THEN 'regular'
    ELSE 'occasional'
  END AS stage
FROM customer_orders;
