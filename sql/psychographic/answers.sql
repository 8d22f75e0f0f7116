-- The latest answer of every customer to every question within $psychographic_days days.
-- Of two at one time the one that comes last in the alphabet counts.
CREATE VIEW psychographic.answers AS
SELECT customer_id, question, answer, score, answered_at
FROM (
  SELECT DISTINCT customer_id, question, nullif(lower(trim(answer)), '') AS answer, score, answered_at
  FROM base.survey
  WHERE customer_id IS NOT NULL
    AND days_since(answered_at) < $psychographic_days
) AS given
QUALIFY row_number() OVER (
  PARTITION BY customer_id, question
  ORDER BY answered_at DESC, answer DESC NULLS LAST, score DESC NULLS LAST
) = 1;

-- The answer to the question `lifestyle`.
CREATE SEGMENTATION psychographic.lifestyles WITH (
  key = 'customer_id',
  label = 'lifestyle',
  tags = 'psychographic',
  action = 'stories and pictures of this life'
) AS
SELECT customer_id, answer AS lifestyle, answered_at
FROM psychographic.answers
WHERE question = 'lifestyle'
  AND answer IS NOT NULL;

-- Would they recommend the shop? The question `recommend` with a score of 0 to 10: promoter
-- from 9, passive from 7, detractor below (the net promoter score of Reichheld).
CREATE SEGMENTATION psychographic.promoters WITH (
  key = 'customer_id',
  label = 'opinion',
  tags = 'psychographic'
) LABELS (
  promoter WITH (action = 'ask for a review and a referral'),
  passive WITH (action = 'ask what is missing'),
  detractor WITH (action = 'a call by service before any offer')
) AS
SELECT
  customer_id,
  CASE WHEN score >= 9 THEN 'promoter' WHEN score >= 7 THEN 'passive' ELSE 'detractor' END AS opinion,
  score
FROM psychographic.answers
WHERE question = 'recommend'
  AND score BETWEEN 0 AND 10;
