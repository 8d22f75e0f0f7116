-- The way each lead went up to now: 'new > in_talks > lost'.
CREATE SEGMENTATION leads.paths WITH (
  key = 'lead_id',
  label = 'path',
  tags = 'leads',
  action = 'look where most are lost and mend that step'
) AS
SELECT
  lead_id,
  -- Each is the beginning of the next, and less than it.
  max(path) AS path,
  days_since(min(status_changed_at), max(status_changed_at)) AS days
FROM (
  SELECT
    lead_id,
    status_changed_at,
    string_agg(status, ' > ') OVER (PARTITION BY lead_id ORDER BY status_changed_at, status) AS path
  FROM base.lead_changes
  WHERE status IS NOT NULL
) AS changes
GROUP BY lead_id;
