-- The shop beside the market: of each figure in `benchmarks` that segql knows
-- (orders_per_year and average_order), what it is here and by how much it differs.
CREATE VIEW personas.beside_market AS
WITH here AS (
  SELECT 'average_order' AS metric, CAST(sum(monetary) AS DOUBLE) / sum(frequency) AS value
  FROM features.customers
  UNION ALL
  SELECT 'orders_per_year', CAST(count(*) AS DOUBLE) / count(DISTINCT customer_id)
  FROM features.purchases
  WHERE days_since(ordered_at) < 365
)
SELECT b.metric, h.value AS here, b.value AS market, h.value / b.value - 1 AS difference
FROM base.benchmarks AS b
JOIN here AS h ON h.metric = b.metric
WHERE b.value <> 0;
