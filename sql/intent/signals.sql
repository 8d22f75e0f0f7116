-- Events of known customers with nothing bought since.
CREATE VIEW intent.events AS
SELECT e.*
FROM base.events AS e
LEFT JOIN features.last_purchases AS f ON f.customer_id = e.customer_id
WHERE e.customer_id IS NOT NULL
  AND (f.last_order_at IS NULL OR f.last_order_at < e.occurred_at);

-- Signs of intent within $intent_days days, a label each: webinar, trial, newsletter sign-up
-- and the other kinds of $intent_kinds.
CREATE SEGMENTATION intent.signals WITH (
  key = 'customer_id',
  label = 'signal',
  multiple = true,
  tags = 'intent',
  action = 'an offer that follows from what they did, within two days'
) AS
SELECT customer_id, kind AS signal, count(*) AS times, max(occurred_at) AS last_at
FROM intent.events
WHERE kind IN ($intent_kinds)
  AND days_since(occurred_at) < $intent_days
GROUP BY customer_id, kind;

-- Looked at one category at least $intent_views times within $intent_views_days days, a
-- label each.
CREATE SEGMENTATION intent.shopping WITH (
  key = 'customer_id',
  label = 'category',
  multiple = true,
  tags = 'intent',
  action = 'the goods they looked at, with stock and delivery day'
) AS
SELECT customer_id, category, count(*) AS views, max(occurred_at) AS last_at
FROM intent.events
WHERE category IS NOT NULL
  AND days_since(occurred_at) < $intent_views_days
GROUP BY customer_id, category
HAVING count(*) >= $intent_views;
