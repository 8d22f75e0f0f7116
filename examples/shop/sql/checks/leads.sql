-- A lead has one of the five known statuses.
CREATE CHECK lead_statuses_are_known AS
SELECT lead_id, status, status_changed_at
FROM lead_changes
WHERE status NOT IN ('new', 'in_talks', 'draft_contract', 'won', 'lost')
  OR status_changed_at < created_at;

-- The segments of leads do not reach into closed ones.
CREATE CHECK hot_leads_are_open AS
SELECT h.lead_id, l.status
FROM hot_leads AS h
JOIN leads AS l ON l.lead_id = h.lead_id
WHERE l.status IN ('won', 'lost');
