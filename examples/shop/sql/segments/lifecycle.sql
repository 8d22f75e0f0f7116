-- Bought for the first time not long ago. Welcome them and lead them to a second order.
CREATE SEGMENT new_customers WITH (
  tags = 'lifecycle',
  action = 'Welcome series with an offer for the second order'
) AS
SELECT customer_id, first_order_at, frequency, monetary
FROM customer_orders
WHERE customer_for_days <= $new_days;

-- At least four orders in the last year, the latest not long ago. Keep them: early access, no discounts needed.
CREATE SEGMENT regular_customers WITH (
  tags = 'lifecycle',
  action = 'Loyalty programme and early access'
) AS
SELECT customer_id, orders_last_year, recency_days, monetary
FROM customer_orders
WHERE orders_last_year >= 4
  AND recency_days <= $regular_days;

-- Bought exactly once, and not just now. Ask how it was and recommend what goes with it.
CREATE SEGMENT one_time_buyers WITH (
  tags = 'lifecycle',
  action = 'Review request, then recommendations from the first order'
) AS
SELECT customer_id, first_order_at, monetary
FROM customer_orders
WHERE frequency = 1
  AND customer_for_days > $new_days;

-- Bought at least twice and has gone quiet, but is not inactive yet. Remind them before they are gone.
CREATE SEGMENT lapsing WITH (
  tags = 'lifecycle, winback',
  action = 'Reminder with news from the favourite category'
) AS
SELECT customer_id, recency_days, frequency, monetary
FROM customer_orders
WHERE frequency >= 2
  AND recency_days > $regular_days
  AND recency_days <= $inactive_days;

-- Bought once upon a time, and nothing for half a year or so. One good offer, then leave them alone.
CREATE SEGMENT inactive_customers WITH (
  tags = 'lifecycle, winback',
  action = 'One win-back offer'
) AS
SELECT customer_id, last_order_at, recency_days, frequency, monetary
FROM customer_orders
WHERE recency_days > $inactive_days;

-- Signed up at least a month ago and has never bought. Show what others bought first.
CREATE SEGMENT never_bought WITH (
  tags = 'lifecycle',
  action = 'Best-seller list with free delivery'
) AS
SELECT c.customer_id, c.signed_up_at, c.lead_source
FROM customers AS c
WHERE days_since(c.signed_up_at) >= 30
  AND NOT EXISTS (SELECT 1 FROM customer_orders AS o WHERE o.customer_id = c.customer_id);
