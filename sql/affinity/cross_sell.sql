-- One row per pair of categories: how many customers bought both, and how much more
-- often than by chance (lift: above 1 they attract each other).
CREATE VIEW affinity.pairs AS
WITH bought AS (SELECT DISTINCT customer_id, category FROM affinity.categories),
sizes AS (SELECT category, count(*) AS customers FROM bought GROUP BY category),
everyone AS (SELECT count(DISTINCT customer_id) AS customers FROM bought),
both_bought AS (
  SELECT a.category, b.category AS other, count(*) AS customers
  FROM bought AS a
  JOIN bought AS b ON b.customer_id = a.customer_id AND b.category <> a.category
  GROUP BY a.category, b.category
)
SELECT
  p.category,
  p.other,
  p.customers,
  CAST(p.customers AS DOUBLE) * e.customers / (CAST(a.customers AS DOUBLE) * b.customers) AS lift
FROM both_bought AS p
JOIN sizes AS a ON a.category = p.category
JOIN sizes AS b ON b.category = p.other
CROSS JOIN everyone AS e;

-- Whom to offer which category next: of those that go with the favourite one (lift above
-- 1) and that they have not bought, the one that most customers bought with it; of two
-- with as many the first in the alphabet.
CREATE SEGMENTATION affinity.cross_sell WITH (
  key = 'customer_id',
  label = 'offer',
  tags = 'affinity',
  action = 'goods of the offered category beside the favourite one'
) AS
WITH places AS (
  SELECT
    category, other, customers, lift,
    row_number() OVER (PARTITION BY category ORDER BY customers DESC, other) AS place
  FROM affinity.pairs
  WHERE lift > 1
),
best AS (
  SELECT f.customer_id, f.category, min(p.place) AS place
  FROM affinity.favourites AS f
  JOIN places AS p ON p.category = f.category
  LEFT JOIN affinity.categories AS c ON c.customer_id = f.customer_id AND c.category = p.other
  WHERE c.category IS NULL
  GROUP BY f.customer_id, f.category
)
SELECT b.customer_id, p.other AS offer, b.category AS favourite, p.customers AS bought_both, p.lift
FROM best AS b
JOIN places AS p ON p.category = b.category AND p.place = b.place;
