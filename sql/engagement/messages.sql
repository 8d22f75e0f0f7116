-- One row per customer and channel written to within $engagement_days days. An opening or
-- a click counts once it has happened; a click is an opening, whatever the mail program says.
CREATE VIEW engagement.messages AS
SELECT
  customer_id,
  lower(trim(channel)) AS channel,
  count(*) AS sends,
  count(*) FILTER (WHERE days_since(opened_at) >= 0 OR days_since(clicked_at) >= 0) AS opens,
  count(*) FILTER (WHERE days_since(clicked_at) >= 0) AS clicks,
  max(sent_at) AS last_sent_at
FROM base.sends
WHERE customer_id IS NOT NULL
  AND days_since(sent_at) < $engagement_days
GROUP BY customer_id, lower(trim(channel));

-- How readers of newsletters and other e-mail take them: clicks, opens, asleep (none of at
-- least $engagement_min_sends opened); too_few were sent less than that and opened none.
CREATE SEGMENTATION engagement.email WITH (
  key = 'customer_id',
  label = 'level',
  tags = 'engagement'
) LABELS (
  clicks WITH (action = 'first to hear of news'),
  opens WITH (action = 'shorter texts with one thing to do'),
  asleep WITH (action = 'ask whether to go on, then stop'),
  too_few WITH (action = 'nothing yet')
) AS
SELECT
  customer_id,
  CASE
    WHEN clicks > 0 THEN 'clicks'
    WHEN opens > 0 THEN 'opens'
    WHEN sends >= $engagement_min_sends THEN 'asleep'
    ELSE 'too_few'
  END AS level,
  sends, opens, clicks, last_sent_at
FROM engagement.messages
WHERE channel = 'email';

-- Clicked a link in an SMS.
CREATE SEGMENT engagement.sms WITH (
  key = 'customer_id',
  tags = 'engagement',
  action = 'what cannot wait comes by SMS',
  channel = 'sms'
) AS
SELECT customer_id, sends, clicks
FROM engagement.messages
WHERE channel = 'sms'
  AND clicks > 0;
