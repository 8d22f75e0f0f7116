-- Visitors of the site in the last $engagement_days days by the days they came: frequent
-- from $engagement_frequent_days days, repeat from two, single; gone came before that only.
CREATE SEGMENTATION engagement.visits WITH (
  key = 'customer_id',
  label = 'level',
  tags = 'engagement'
) LABELS (
  frequent WITH (action = 'ask for reviews and content'),
  repeat WITH (action = 'what they looked at, in the next mail'),
  single WITH (action = 'a reason to come back'),
  gone WITH (action = 'a reminder by another channel')
) AS
SELECT
  customer_id,
  CASE
    WHEN days >= $engagement_frequent_days THEN 'frequent'
    WHEN days >= 2 THEN 'repeat'
    WHEN days = 1 THEN 'single'
    ELSE 'gone'
  END AS level,
  days, last_seen_at
FROM (
  SELECT
    customer_id,
    count(DISTINCT days_since(occurred_at))
      FILTER (WHERE days_since(occurred_at) < $engagement_days) AS days,
    max(occurred_at) AS last_seen_at
  FROM base.events
  WHERE customer_id IS NOT NULL
  GROUP BY customer_id
) AS seen;
