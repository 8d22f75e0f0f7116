-- One row per lead with the status it had at the as-of date, and who looks after it.
CREATE VIEW leads AS
SELECT c.*, o.owner
FROM (
  SELECT
    lead_id,
    last_value(email ORDER BY status_changed_at) AS email,
    last_value(source ORDER BY status_changed_at) AS source,
    last_value(status ORDER BY status_changed_at) AS status,
    min(created_at) AS created_at,
    max(status_changed_at) AS status_changed_at
  FROM lead_changes
  GROUP BY lead_id
) AS c
LEFT JOIN lead_owners AS o ON o.lead_id = c.lead_id;
