-- One row per customer with at least $loyalty_min_days days with a purchase: the median
-- gap in days, how much gaps vary (their population deviation by their mean), and how many
-- median gaps have passed since the last purchase.
CREATE VIEW loyalty.rhythms AS
WITH found AS (
  SELECT
    customer_id,
    days_since(max(ordered_at)) AS recency_days,
    purchase_rhythm(ordered_at) AS rhythm
  FROM features.purchases
  GROUP BY customer_id
)
SELECT
  customer_id,
  rhythm['purchases'] AS purchase_days,
  recency_days,
  rhythm['median_gap_days'] AS median_gap_days,
  rhythm['cv'] AS cv,
  recency_days / rhythm['median_gap_days'] AS gaps_since
FROM found
WHERE rhythm['purchases'] >= $loyalty_min_days;

-- Where customers with a history are against their own rhythm: in_rhythm, overdue from
-- $loyalty_late median gaps, lost from $loyalty_lost; irregular ones have no rhythm.
CREATE SEGMENTATION loyalty.rhythm WITH (
  key = 'customer_id',
  label = 'state',
  tags = 'loyalty'
) LABELS (
  in_rhythm WITH (action = 'leave them be, reminder on their day'),
  overdue WITH (action = 'reminder of what they usually buy'),
  lost WITH (action = 'ask what happened, one good offer'),
  irregular WITH (action = 'occasions instead of reminders')
) AS
SELECT
  customer_id,
  CASE
    WHEN cv > $loyalty_max_cv THEN 'irregular'
    WHEN gaps_since >= $loyalty_lost THEN 'lost'
    WHEN gaps_since >= $loyalty_late THEN 'overdue'
    ELSE 'in_rhythm'
  END AS state,
  purchase_days, median_gap_days, cv, recency_days,
  greatest(0, recency_days - median_gap_days) AS days_overdue
FROM loyalty.rhythms;
