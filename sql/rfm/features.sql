-- Recency, frequency and monetary value of everyone who bought: days since the last
-- purchase, number of purchases, sum of what was paid.
CREATE VIEW rfm.features AS
SELECT customer_id, recency_days, frequency, monetary
FROM features.customers;

-- The cut points in force: quintiles of recency and monetary value, and fixed ones for
-- frequency unless $rfm_frequency is 'quantiles'. Where most people bought once, quintiles
-- of frequency would call two purchases a champion's.
CREATE VIEW rfm.cuts AS
SELECT
  named_struct(
    'recency', quantile_cuts(recency_days, 5),
    'frequency', CASE
      WHEN $rfm_frequency = 'quantiles' THEN quantile_cuts(frequency, 5)
      ELSE arrow_cast($rfm_frequency_cuts, 'List(Float64)')
    END,
    'monetary', quantile_cuts(monetary, 5)
  ) AS cuts
FROM rfm.features;

-- The features with their scores, 5 best: `score` is STRUCT(r, f, m, score).
CREATE VIEW rfm.scores AS
SELECT
  features.customer_id,
  features.recency_days,
  features.frequency,
  features.monetary,
  rfm_score_with(recency_days, frequency, monetary, cuts) AS score
FROM rfm.features AS features
CROSS JOIN rfm.cuts;
