-- The way each lead went up to now: 'new > in_talks > lost'.
CREATE SEGMENTATION leads.paths WITH (
  key = 'lead_id',
  label = 'path',
  tags = 'leads',
  action = 'look where most are lost and mend that step'
) AS
SELECT
  lead_id,
  string_agg(status, ' > ' ORDER BY status_changed_at, status) AS path,
  days_since(min(status_changed_at), max(status_changed_at)) AS days
FROM (
  SELECT lead_id, status, status_changed_at
  FROM base.lead_changes
  WHERE status IS NOT NULL
) AS changes
GROUP BY lead_id;
