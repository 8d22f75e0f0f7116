-- Every message belongs to a campaign of its channel and was not answered before it was sent.
CREATE CHECK sends_have_a_campaign AS
SELECT s.campaign_id, s.customer_id, s.sent_at
FROM sends AS s
LEFT JOIN campaigns AS c ON c.campaign_id = s.campaign_id
WHERE c.campaign_id IS NULL
  OR c.channel <> s.channel
  OR s.opened_at < s.sent_at
  OR s.clicked_at < s.opened_at;

-- Nobody gets the same campaign twice.
CREATE CHECK campaigns_are_sent_once AS
SELECT campaign_id, customer_id, count(*) AS sends
FROM sends
GROUP BY campaign_id, customer_id
HAVING count(*) > 1;

-- A cart is not checked out before it was filled.
CREATE CHECK carts_are_filled_first AS
SELECT cart_id, customer_id, created_at, checked_out_at
FROM carts
WHERE checked_out_at < created_at OR items <= 0 OR value <= 0;
