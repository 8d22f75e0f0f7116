-- The segments of the R package rfm 0.3.0, by its own cuts: quintiles of all three, each
-- cut a bin's upper end, and a value on it belongs to the bin above (scheme rfm_r).
CREATE SEGMENTATION rfm.r_package WITH (
  key = 'customer_id',
  label = 'segment',
  tags = 'rfm',
  action = 'thank champions, ask promising ones for a second order, win back at risk'
) AS
SELECT customer_id, segment_of(r, f, m, 'rfm_r') AS segment, r, f, m
FROM rfm.r_package_scores;

-- The segments of the older vignette of the same package (scheme rfm_r_2018).
CREATE SEGMENTATION rfm.r_package_2018 WITH (
  key = 'customer_id',
  label = 'segment',
  tags = 'rfm',
  action = 'thank champions, ask promising ones for a second order, win back at risk'
) AS
SELECT customer_id, segment_of(r, f, m, 'rfm_r_2018') AS segment, r, f, m
FROM rfm.r_package_scores;

-- Scores as the R package rfm has them: its cuts are the quintiles and 1, closed on the left.
CREATE VIEW rfm.r_package_scores AS
WITH quintiles AS (
  SELECT
    quantile_cuts(recency_days, 5) AS r,
    quantile_cuts(frequency, 5) AS f,
    quantile_cuts(monetary, 5) AS m
  FROM rfm.features
),
cuts AS (
  SELECT
    make_array(r[1] + 1, r[2] + 1, r[3] + 1, r[4] + 1) AS r,
    make_array(f[1] + 1, f[2] + 1, f[3] + 1, f[4] + 1) AS f,
    make_array(m[1] + 1, m[2] + 1, m[3] + 1, m[4] + 1) AS m
  FROM quintiles
)
SELECT
  customer_id,
  6 - bin_of(recency_days, cuts.r, 'left') AS r,
  bin_of(frequency, cuts.f, 'left') AS f,
  bin_of(monetary, cuts.m, 'left') AS m
FROM rfm.features
CROSS JOIN cuts;

-- Quartiles, with segments by lists of scores, as the pymc marketing course has them
-- (scheme pymc4): Premium, Repeat, Top Spender, At Risk, Inactive, Other.
CREATE SEGMENTATION rfm.quartiles WITH (
  key = 'customer_id',
  label = 'segment',
  tags = 'rfm',
  action = 'keep the premium ones close, reward repeat purchases, win back at risk'
) AS
SELECT customer_id, segment_of(score, 'pymc4') AS segment, score
FROM (
  SELECT customer_id, rfm_score(recency_days, frequency, monetary, 4) OVER () AS score
  FROM rfm.features
) AS scored;
