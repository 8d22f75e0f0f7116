-- Signed up at least $lifecycle_prospect_days days ago and never bought.
CREATE SEGMENT lifecycle.prospects WITH (
  key = 'customer_id',
  tags = 'lifecycle',
  action = 'what others bought first, with free delivery'
) AS
SELECT c.customer_id, days_since(c.signed_up_at) AS known_for_days
FROM base.customers AS c
WHERE days_since(c.signed_up_at) >= $lifecycle_prospect_days
  AND NOT EXISTS (
    SELECT 1 FROM features.purchases AS p WHERE p.customer_id = c.customer_id
  );
