-- Recency, frequency and money in five bins each, named by recency and frequency.
-- Champions get the news, those at risk a reminder, the hibernating nothing that costs money.
CREATE SEGMENTATION rfm WITH (
  label = 'segment',
  otherwise = 'no_purchase',
  tags = 'value'
) AS
SELECT
  customer_id,
  recency_days,
  frequency,
  monetary,
  score,
  segment_of(score) AS segment
FROM (
  SELECT
    customer_id,
    recency_days,
    frequency,
    monetary,
    rfm_score(recency_days, frequency, monetary) OVER () AS score
  FROM customer_orders
) AS scored;
