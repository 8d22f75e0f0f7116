-- Members whose card names another tier than the last 365 days earn; who bought nothing
-- within them has earned none.
CREATE SEGMENT tiers.mismatched WITH (
  key = 'customer_id',
  tags = 'tiers',
  action = 'raise at once, lower after a word of warning'
) AS
SELECT a.customer_id, a.tier AS card, coalesce(l.tier, 'none') AS earned
FROM base.loyalty_accounts AS a
LEFT JOIN tiers.levels AS l ON l.customer_id = a.customer_id
WHERE lower(trim(a.tier)) IS DISTINCT FROM l.tier;
