-- The ten RFM segments by how lately and how often somebody bought (scheme rf10):
-- champions, loyal, potential_loyalist, new, promising, need_attention, about_to_sleep, at_risk,
-- cant_lose, hibernating.
CREATE SEGMENTATION rfm.segments WITH (
  key = 'customer_id',
  label = 'segment',
  tags = 'rfm',
  action = 'thank champions, win back at_risk and cant_lose, spend nothing on hibernating'
) AS
SELECT
  customer_id,
  segment_of(score) AS segment,
  recency_days,
  frequency,
  monetary,
  score
FROM rfm.scores;
