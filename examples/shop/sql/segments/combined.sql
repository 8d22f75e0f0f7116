-- Whales who have become inactive, with an address, and without a cart waiting, which has a reminder
-- of its own. They get the win-back offer by name.
CREATE SEGMENT winback_targets WITH (
  tags = 'winback, combined',
  action = 'Personal win-back offer',
  channel = 'email'
) AS
SELECT i.customer_id, i.recency_days, i.monetary
FROM inactive_customers AS i
JOIN whales AS w ON w.customer_id = i.customer_id
JOIN customers AS c ON c.customer_id = i.customer_id
WHERE c.email IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM abandoned_carts AS a WHERE a.customer_id = i.customer_id);

-- Regular customers who keep a pet and do not wait for discounts. They are asked to try new pet goods.
CREATE SEGMENT pet_testers WITH (
  tags = 'affinity, combined',
  action = 'Sample of a new product with the next order'
) AS
SELECT p.customer_id, p.share, r.orders_last_year
FROM pet_lovers AS p
JOIN regular_customers AS r ON r.customer_id = p.customer_id
WHERE NOT EXISTS (SELECT 1 FROM discount_hunters AS d WHERE d.customer_id = p.customer_id);
