-- Opened newsletters, or came to the site from one, at least twice of late. They hear of news first.
CREATE SEGMENT newsletter_engaged WITH (
  tags = 'engagement',
  action = 'First to hear of news',
  channel = 'email'
) AS
SELECT
  c.customer_id,
  coalesce(s.opens, 0) AS opens,
  coalesce(s.clicks, 0) AS clicks,
  coalesce(e.newsletter_visits, 0) AS visits
FROM customers AS c
LEFT JOIN customer_sends AS s ON s.customer_id = c.customer_id
LEFT JOIN customer_events AS e ON e.customer_id = c.customer_id
WHERE c.newsletter
  AND coalesce(s.opens, 0) + coalesce(e.newsletter_visits, 0) >= 2;

-- Took part in a webinar of late. Invite them to the next one.
CREATE SEGMENT webinar_interested WITH (
  tags = 'engagement',
  action = 'Invitation to the next webinar, recording to the absent'
) AS
SELECT customer_id, webinars, last_seen_at
FROM customer_events
WHERE webinars >= 1;

-- Takes the newsletter and was sent two or more of late, but opened none. Write less often or stop.
CREATE SEGMENT newsletter_asleep WITH (
  tags = 'engagement',
  action = 'Ask whether to go on, then stop'
) AS
SELECT customer_id, sends, last_sent_at
FROM customer_sends
WHERE sends >= 2
  AND opens = 0;
