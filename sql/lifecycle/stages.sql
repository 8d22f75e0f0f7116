-- The stage of everyone who ever bought, the first of these that applies: inactive, new,
-- one_time (bought on one day only), won_back (after a silence as long as inactive),
-- lapsing, regular, and occasional for the rest.
CREATE SEGMENTATION lifecycle.stages WITH (
  key = 'customer_id',
  label = 'stage',
  tags = 'lifecycle'
) LABELS (
  new WITH (action = 'welcome series with a reason for the second order'),
  one_time WITH (action = 'ask how it was, recommend what goes with it'),
  won_back WITH (action = 'thank them for coming back, no second win-back offer'),
  lapsing WITH (action = 'reminder with news of what they buy'),
  regular WITH (action = 'early access and the loyalty programme, no discounts needed'),
  occasional WITH (action = 'occasions: seasons, refills, birthdays'),
  inactive WITH (action = 'one good win-back offer, then rest')
) AS
SELECT
  customer_id,
  CASE
    WHEN recency_days > $lifecycle_inactive_days THEN 'inactive'
    WHEN customer_for_days <= $lifecycle_new_days THEN 'new'
    WHEN customer_for_days = recency_days THEN 'one_time'
    WHEN days_away > $lifecycle_inactive_days THEN 'won_back'
    WHEN recency_days > $lifecycle_lapsing_days THEN 'lapsing'
    WHEN orders_last_year >= $lifecycle_regular_orders THEN 'regular'
    ELSE 'occasional'
  END AS stage,
  recency_days,
  orders,
  orders_last_year
FROM lifecycle.buyers;
