-- Two or more orders with pet goods, and at least two fifths of the spending on them. They get pet offers only.
CREATE SEGMENT pet_lovers WITH (
  tags = 'affinity',
  action = 'Pet offers and a reminder when the food runs out'
) AS
SELECT customer_id, orders, spent, share
FROM category_affinity
WHERE category = 'pets'
  AND orders >= 2
  AND share >= 0.4;

-- Bought for the garden at least twice within the last year. Write to them before the season.
CREATE SEGMENT gardeners WITH (
  tags = 'affinity',
  action = 'Season opening in March'
) AS
SELECT customer_id, orders, spent, share
FROM category_affinity
WHERE category = 'garden'
  AND orders >= 2
  AND recency_days <= 365;

-- Looked at electronics twice or more within a year and has never bought any. An adviser may help.
CREATE SEGMENT electronics_browsers WITH (
  tags = 'affinity',
  action = 'Buying guide and an offer of advice'
) AS
SELECT e.customer_id, count(*) AS views, max(e.occurred_at) AS last_view_at
FROM web_events AS e
WHERE e.category = 'electronics'
  AND days_since(e.occurred_at) <= 365
  AND NOT EXISTS (
    SELECT 1
    FROM customer_categories AS b
    WHERE b.customer_id = e.customer_id AND b.category = 'electronics'
  )
GROUP BY e.customer_id
HAVING count(*) >= 2;
