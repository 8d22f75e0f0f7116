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
SELECT f.customer_id, p.other AS offer, f.category AS favourite, p.customers AS bought_both, p.lift
FROM affinity.favourites AS f
JOIN affinity.pairs AS p ON p.category = f.category AND p.lift > 1
LEFT JOIN affinity.categories AS c ON c.customer_id = f.customer_id AND c.category = p.other
WHERE c.category IS NULL
QUALIFY row_number() OVER (PARTITION BY f.customer_id ORDER BY p.customers DESC, p.other, f.category) = 1;
