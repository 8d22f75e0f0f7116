-- Categories that somebody looks at and never bought from, a label each: at least
-- $affinity_views views within $affinity_views_days days.
CREATE SEGMENTATION affinity.browsers WITH (
  key = 'customer_id',
  label = 'category',
  multiple = true,
  tags = 'affinity',
  action = 'guide to the category and advice'
) AS
SELECT seen.customer_id, seen.category, seen.views, seen.last_view_at
FROM (
  SELECT customer_id, category, count(*) AS views, max(occurred_at) AS last_view_at
  FROM base.events
  WHERE customer_id IS NOT NULL
    AND category IS NOT NULL
    AND days_since(occurred_at) < $affinity_views_days
  GROUP BY customer_id, category
  HAVING count(*) >= $affinity_views
) AS seen
WHERE NOT EXISTS (
  SELECT 1
  FROM features.lines AS l
  WHERE l.customer_id = seen.customer_id AND l.category = seen.category
);
