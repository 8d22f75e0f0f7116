-- Recency, frequency and monetary value of everyone who bought.
--
-- Needs `orders` (customer_id, ordered_at, amount): a source or view with one
-- row per purchase, cancelled ones left out. Recency counts whole days from the
-- last purchase to the as-of date; monetary is the sum of amounts.

-- One row per customer with recency_days, frequency and monetary.
CREATE VIEW rfm.features AS
SELECT
  customer_id,
  days_since(max(ordered_at)) AS recency_days,
  count(*) AS frequency,
  sum(amount) AS monetary
FROM orders
GROUP BY customer_id;

-- The cut points in force: quintiles of recency and monetary value, and fixed
-- ones for frequency (1, 2, 3-4, 5-9, 10 and more purchases). Where most people
-- bought once, quintiles of frequency would call two purchases a champion's.
CREATE VIEW rfm.cuts AS
SELECT
  named_struct(
    'recency', quantile_cuts(recency_days, 5),
    'frequency', make_array(1.0, 2.0, 4.0, 9.0),
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
