-- Categories that somebody looks at and never bought from, a label each: at least
-- $affinity_views views within $affinity_views_days days.
CREATE SEGMENTATION affinity.browsers WITH (
  key = 'customer_id',
  label = 'category',
  multiple = true,
  tags = 'affinity',
  action = 'guide to the category and advice'
) AS
SELECT e.customer_id, e.category, count(*) AS views, max(e.occurred_at) AS last_view_at
FROM base.events AS e
WHERE e.customer_id IS NOT NULL
  AND e.category IS NOT NULL
  AND days_since(e.occurred_at) < $affinity_views_days
  AND NOT EXISTS (
    SELECT 1
    FROM features.lines AS l
    WHERE l.customer_id = e.customer_id AND l.category = e.category
  )
GROUP BY e.customer_id, e.category
HAVING count(*) >= $affinity_views;
