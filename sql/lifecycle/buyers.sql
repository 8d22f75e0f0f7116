-- One row per customer who ever bought, with what tells the stages apart. days_away is
-- the silence before whoever bought of late came back: from the last purchase before the
-- last $lifecycle_new_days days to the first within them.
CREATE VIEW lifecycle.buyers AS
SELECT
  customer_id,
  days_since(min(ordered_at)) AS customer_for_days,
  days_since(max(ordered_at)) AS recency_days,
  count(*) AS orders,
  count(*) FILTER (WHERE days_since(ordered_at) < 365) AS orders_last_year,
  days_since(
    max(ordered_at) FILTER (WHERE days_since(ordered_at) > $lifecycle_new_days),
    min(ordered_at) FILTER (WHERE days_since(ordered_at) <= $lifecycle_new_days)
  ) AS days_away
FROM features.purchases
GROUP BY customer_id;
