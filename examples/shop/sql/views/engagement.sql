-- One row per customer who was sent something within the window; answers count once they have come.
CREATE VIEW customer_sends AS
SELECT
  customer_id,
  count(*) AS sends,
  count(*) FILTER (WHERE days_since(opened_at) >= 0) AS opens,
  count(*) FILTER (WHERE days_since(clicked_at) >= 0) AS clicks,
  max(sent_at) AS last_sent_at
FROM sends
WHERE days_since(sent_at) <= $engaged_days
GROUP BY customer_id;

-- One row per customer seen on the site within the window.
CREATE VIEW customer_events AS
SELECT
  customer_id,
  count(*) AS events,
  count(*) FILTER (WHERE kind = 'newsletter') AS newsletter_visits,
  count(*) FILTER (WHERE kind = 'webinar') AS webinars,
  count(*) FILTER (WHERE kind IN ('product_view', 'add_to_cart')) AS product_views,
  max(occurred_at) AS last_seen_at
FROM web_events
WHERE days_since(occurred_at) <= $engaged_days
GROUP BY customer_id;
