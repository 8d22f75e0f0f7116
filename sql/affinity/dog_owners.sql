-- Whoever bought for a dog in at least $affinity_min_orders orders.
CREATE SEGMENT affinity.dog_owners WITH (
  key = 'customer_id',
  tags = 'affinity',
  action = 'dog offers only, and a reminder when the food runs out'
) AS
SELECT customer_id, count(DISTINCT order_id) AS orders, max(ordered_at) AS last_order_at
FROM features.lines
WHERE lower(category) IN ($affinity_dog_categories)
  AND days_since(ordered_at) < $affinity_days
GROUP BY customer_id
HAVING count(DISTINCT order_id) >= $affinity_min_orders;
