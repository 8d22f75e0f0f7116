-- Whoever has a cart waiting, by the age of the newest: open, abandoned_hours or
-- abandoned_days. A cart of exactly $carts_open_hours hours is abandoned, one of exactly
-- $carts_fresh_hours hours has been for hours.
CREATE SEGMENTATION carts.stages WITH (
  key = 'customer_id',
  label = 'stage',
  tags = 'carts'
) LABELS (
  open WITH (action = 'nothing yet: somebody may be shopping'),
  abandoned_hours WITH (action = 'reminder with what is in the cart'),
  abandoned_days WITH (action = 'second reminder, delivery for free')
) AS
SELECT
  customer_id,
  CASE
    WHEN min(age_hours) < $carts_open_hours THEN 'open'
    WHEN min(age_hours) <= $carts_fresh_hours THEN 'abandoned_hours'
    ELSE 'abandoned_days'
  END AS stage,
  count(*) AS carts,
  max(created_at) AS last_cart_at
FROM carts.waiting
GROUP BY customer_id;

-- Whoever has an abandoned cart waiting and none that is open.
CREATE SEGMENT carts.abandoned WITH (
  key = 'customer_id',
  tags = 'carts',
  action = 'reminder with what is in the cart',
  channel = 'email'
) AS
SELECT customer_id, carts, last_cart_at
FROM carts.stages
WHERE stage <> 'open';
