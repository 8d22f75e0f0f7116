-- One row per customer with at least $value_min_orders orders: the band of the usual
-- order and that of the dearest. Bands are thirds of all orders by amount, 3 the dearest;
-- an amount on a cut belongs to the cheaper band.
CREATE VIEW value.bands AS
WITH cuts AS (SELECT quantile_cuts(amount, 3) AS cuts FROM features.purchases),
usual AS (
  SELECT
    customer_id,
    count(*) AS orders,
    CAST(sum(amount) AS DOUBLE) / count(*) AS average_order,
    max(amount) AS dearest_order
  FROM features.purchases
  GROUP BY customer_id
  HAVING count(*) >= $value_min_orders
)
SELECT
  customer_id,
  orders,
  average_order,
  dearest_order,
  bin_of(average_order, cuts) AS usual_band,
  bin_of(dearest_order, cuts) AS dearest_band
FROM usual
CROSS JOIN cuts;

-- How dear a customer usually buys: low, middle, high.
CREATE SEGMENTATION value.price_bands WITH (
  key = 'customer_id',
  label = 'band',
  tags = 'value'
) LABELS (
  low WITH (action = 'value packs and the entry range'),
  middle WITH (action = 'the range as it is'),
  high WITH (action = 'premium lines, no discounts')
) AS
SELECT
  customer_id,
  CASE usual_band WHEN 1 THEN 'low' WHEN 2 THEN 'middle' ELSE 'high' END AS band,
  average_order
FROM value.bands;

-- Usually buys below the high band and has bought in it: dearer goods are within reach.
CREATE SEGMENT value.up_sell WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'the better version of what they buy'
) AS
SELECT customer_id, average_order, dearest_order
FROM value.bands
WHERE usual_band < 3
  AND dearest_band = 3;

-- At least two orders that are on average $value_large_factor times the average order of
-- the shop or more.
CREATE SEGMENT value.large_orders WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'bundles, delivery to the room'
) AS
WITH usual AS (
  SELECT CAST(sum(amount) AS DOUBLE) / count(*) AS average_order FROM features.purchases
)
SELECT
  c.customer_id,
  c.frequency,
  CAST(c.monetary AS DOUBLE) / c.frequency AS average_order
FROM features.customers AS c
CROSS JOIN usual AS u
WHERE c.frequency >= 2
  AND CAST(c.monetary AS DOUBLE) / c.frequency >= $value_large_factor * u.average_order;
