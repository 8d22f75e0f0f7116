-- The persona of everyone who ever bought, the first of these that applies: business,
-- big_spender, bargain_hunter, newcomer, regular, sleeper, passer_by.
CREATE SEGMENTATION personas.main WITH (
  key = 'customer_id',
  label = 'persona',
  tags = 'personas'
) LABELS (
  business WITH (action = 'account manager, invoices'),
  big_spender WITH (action = 'personal service'),
  bargain_hunter WITH (action = 'clearance and alerts'),
  newcomer WITH (action = 'welcome and a second order'),
  regular WITH (action = 'loyalty programme'),
  sleeper WITH (action = 'win back once'),
  passer_by WITH (action = 'occasions and favourites')
) AS
SELECT
  s.customer_id,
  CASE
    WHEN k.kind = 'business' THEN 'business'
    WHEN w.customer_id IS NOT NULL THEN 'big_spender'
    WHEN d.customer_id IS NOT NULL THEN 'bargain_hunter'
    WHEN s.stage = 'new' THEN 'newcomer'
    WHEN s.stage IN ('regular', 'won_back') THEN 'regular'
    WHEN s.stage IN ('inactive', 'lapsing') THEN 'sleeper'
    ELSE 'passer_by'
  END AS persona,
  s.stage
FROM lifecycle.stages AS s
LEFT JOIN b2b.kinds AS k ON k.customer_id = s.customer_id
LEFT JOIN value.whales AS w ON w.customer_id = s.customer_id
LEFT JOIN value.discount_hunters AS d ON d.customer_id = s.customer_id;

-- A portrait of each persona in figures: size, share of customers and of revenue, the
-- average order, orders a head.
CREATE VIEW personas.portraits AS
SELECT
  p.persona,
  count(*) AS customers,
  CAST(count(*) AS DOUBLE) / sum(count(*)) OVER () AS share,
  CAST(sum(c.monetary) AS DOUBLE) / CAST(sum(sum(c.monetary)) OVER () AS DOUBLE) AS revenue_share,
  CAST(sum(c.monetary) AS DOUBLE) / sum(c.frequency) AS average_order,
  CAST(sum(c.frequency) AS DOUBLE) / count(*) AS orders_each
FROM personas.main AS p
JOIN features.customers AS c ON c.customer_id = p.customer_id
GROUP BY p.persona;
