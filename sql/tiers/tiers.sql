-- What the buyers of the last 365 days spent, and their place: how many spent as much or
-- more.
CREATE VIEW tiers.spending AS
SELECT
  customer_id,
  spent,
  count(*) OVER (ORDER BY spent DESC RANGE UNBOUNDED PRECEDING) AS place,
  count(*) OVER () AS buyers
FROM (
  SELECT customer_id, sum(amount) AS spent
  FROM features.purchases
  WHERE days_since(ordered_at) < 365
  GROUP BY customer_id
) AS year;

-- The tier that the last 365 days earn: gold for the top $tiers_gold of the buyers by
-- money, silver up to $tiers_silver, bronze. Who spent the same is in the same tier, the
-- lower one where there is no room for all.
CREATE SEGMENTATION tiers.levels WITH (
  key = 'customer_id',
  label = 'tier',
  tags = 'tiers'
) LABELS (
  gold WITH (action = 'personal adviser, early access, free express delivery'),
  silver WITH (action = 'free delivery, show what gold gives'),
  bronze WITH (action = 'points and what silver gives')
) AS
SELECT
  customer_id,
  CASE
    WHEN place <= buyers * CAST($tiers_gold AS DECIMAL(9, 6)) THEN 'gold'
    WHEN place <= buyers * CAST($tiers_silver AS DECIMAL(9, 6)) THEN 'silver'
    ELSE 'bronze'
  END AS tier,
  spent
FROM tiers.spending;

-- Spent at least $tiers_near of what the least of the next tier spent.
CREATE SEGMENT tiers.near_next WITH (
  key = 'customer_id',
  tags = 'tiers',
  action = 'how little is missing, and until when'
) AS
WITH entry AS (
  SELECT
    min(spent) FILTER (WHERE tier = 'gold') AS gold,
    min(spent) FILTER (WHERE tier = 'silver') AS silver
  FROM tiers.levels
)
SELECT
  l.customer_id,
  l.tier,
  l.spent,
  CASE l.tier WHEN 'silver' THEN e.gold ELSE e.silver END - l.spent AS missing
FROM tiers.levels AS l
CROSS JOIN entry AS e
WHERE l.tier <> 'gold'
  AND l.spent >= CAST($tiers_near AS DECIMAL(9, 6)) * CASE l.tier WHEN 'silver' THEN e.gold ELSE e.silver END;
