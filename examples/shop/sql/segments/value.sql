-- The top twentieth of buyers by money spent. Personal service, never a mass mailing.
CREATE SEGMENT whales WITH (
  tags = 'value',
  action = 'Personal adviser and free express delivery'
) AS
SELECT customer_id, monetary, frequency, recency_days
FROM (
  SELECT
    customer_id, monetary, frequency, recency_days,
    rank() OVER (ORDER BY monetary DESC) AS place,
    count(*) OVER () AS buyers
  FROM customer_orders
) AS ranked
WHERE place * 20 <= buyers;

-- Used a discount in more than half of at least three orders. Sell them the clearance, not the news.
CREATE SEGMENT discount_hunters WITH (
  tags = 'value',
  action = 'Clearance and outlet mailings'
) AS
SELECT customer_id, frequency, discounted_orders, discounts
FROM customer_orders
WHERE frequency >= 3
  AND discounted_orders * 2 > frequency;

-- Two or more orders of 400 and more on average. Bundles and dearer alternatives suit them.
CREATE SEGMENT high_average_order WITH (
  tags = 'value',
  action = 'Bundles and premium lines'
) AS
SELECT
  customer_id,
  frequency,
  monetary,
  CAST(monetary / frequency AS DECIMAL(12, 2)) AS average_order
FROM customer_orders
WHERE frequency >= 2
  AND monetary >= 400 * frequency;
