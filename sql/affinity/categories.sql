-- One row per customer and category bought within $affinity_days days: in how many
-- orders, for how much, which share of all the customer spent on goods.
CREATE VIEW affinity.categories AS
SELECT
  customer_id,
  category,
  orders,
  spent,
  sum(spent) OVER (PARTITION BY customer_id) AS spent_on_all,
  CAST(spent AS DOUBLE) / nullif(CAST(sum(spent) OVER (PARTITION BY customer_id) AS DOUBLE), 0) AS share
FROM (
  SELECT
    customer_id,
    category,
    count(DISTINCT order_id) AS orders,
    -- Read with the order's amount, so that money of several currencies is found out.
    sum(CASE WHEN amount IS NOT NULL THEN price * quantity END) AS spent
  FROM features.lines
  WHERE category IS NOT NULL
    AND days_since(ordered_at) < $affinity_days
  GROUP BY customer_id, category
) AS bought;

-- The categories that somebody is interested in, a label each: bought in at least
-- $affinity_min_orders orders, and for at least $affinity_min_share of the spending.
CREATE SEGMENTATION affinity.interests WITH (
  key = 'customer_id',
  label = 'category',
  multiple = true,
  tags = 'affinity',
  action = 'offers and news of this category first'
) AS
SELECT customer_id, category, orders, spent, share
FROM affinity.categories
WHERE orders >= $affinity_min_orders
  AND spent > 0
  AND spent >= spent_on_all * CAST($affinity_min_share AS DECIMAL(9, 6));

-- The category that each customer spent most on; of two with the same sum the one that
-- comes first in the alphabet.
CREATE SEGMENTATION affinity.favourites WITH (
  key = 'customer_id',
  label = 'category',
  tags = 'affinity',
  action = 'the picture at the top of the newsletter'
) AS
SELECT customer_id, category, spent, share
FROM affinity.categories
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY spent DESC NULLS LAST, category) = 1;
