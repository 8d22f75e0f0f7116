-- The top $value_whale_share of buyers by money spent. Who spent the same is in or out
-- together: in when the last place they could have is still among the top.
CREATE SEGMENT value.whales WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'a personal adviser, never a mass mailing'
) AS
SELECT customer_id, monetary, frequency, recency_days
FROM (
  SELECT
    customer_id, monetary, frequency, recency_days,
    count(*) OVER (ORDER BY monetary DESC RANGE UNBOUNDED PRECEDING) AS place,
    count(*) OVER () AS buyers
  FROM features.customers
) AS ranked
WHERE place <= buyers * CAST($value_whale_share AS DECIMAL(9, 6));

-- The fewest customers who make $value_revenue_share of the revenue. Who spent as much as
-- the last of them is in too.
CREATE SEGMENT value.top_revenue WITH (
  key = 'customer_id',
  tags = 'value',
  action = 'where service and stock come first'
) AS
SELECT customer_id, monetary, CAST(monetary AS DOUBLE) / CAST(revenue AS DOUBLE) AS share
FROM (
  SELECT
    customer_id, monetary,
    sum(monetary) OVER (ORDER BY monetary DESC RANGE UNBOUNDED PRECEDING)
      - sum(monetary) OVER (PARTITION BY monetary) AS spent_by_larger,
    sum(monetary) OVER () AS revenue
  FROM features.customers
) AS ranked
WHERE monetary > 0
  AND spent_by_larger < revenue * CAST($value_revenue_share AS DECIMAL(9, 6));
