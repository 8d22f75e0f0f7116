-- The main motive of everyone asked. Each row of the survey with the question `motive`
-- names one, its score how strongly (none counts as 0): the strongest of the latest day
-- counts, of two as strong the first in the alphabet.
CREATE SEGMENTATION motives.main WITH (
  key = 'customer_id',
  label = 'motive',
  tags = 'motives',
  action = 'the argument that comes first in texts'
) AS
SELECT customer_id, motive, strength
FROM (
  SELECT
    customer_id,
    lower(trim(answer)) AS motive,
    days_since(answered_at) AS days_ago,
    max(coalesce(CAST(score AS DOUBLE), 0)) AS strength
  FROM base.survey
  WHERE customer_id IS NOT NULL
    AND question = 'motive'
    AND trim(answer) <> ''
  GROUP BY customer_id, lower(trim(answer)), days_since(answered_at)
) AS named
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY days_ago, strength DESC, motive) = 1;

-- Words and deeds: who names the price and waits for discounts (price_driven), names it
-- and pays in full (price_said), names another and waits (price_shown), or neither
-- (other_motives). Whoever has fewer than $value_min_orders orders has shown nothing yet.
CREATE SEGMENTATION motives.price WITH (
  key = 'customer_id',
  label = 'attitude',
  tags = 'motives'
) LABELS (
  price_driven WITH (action = 'clearance and price alerts'),
  price_said WITH (action = 'value for money, no discount needed'),
  price_shown WITH (action = 'quality in words, outlet in offers'),
  other_motives WITH (action = 'no discounts')
) AS
SELECT
  m.customer_id,
  CASE
    WHEN m.motive IN ($motives_price) AND d.customer_id IS NOT NULL THEN 'price_driven'
    WHEN m.motive IN ($motives_price) THEN 'price_said'
    WHEN d.customer_id IS NOT NULL THEN 'price_shown'
    ELSE 'other_motives'
  END AS attitude,
  m.motive
FROM motives.main AS m
LEFT JOIN value.discount_hunters AS d ON d.customer_id = m.customer_id;
