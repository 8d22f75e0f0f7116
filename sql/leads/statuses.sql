-- The status of every lead: new, in_talks, draft_contract, won, lost; gone_quiet for open
-- ones that did not move for more than $leads_quiet_days days, other for what else there is.
CREATE SEGMENTATION leads.statuses WITH (
  key = 'lead_id',
  label = 'stage',
  tags = 'leads'
) LABELS (
  new WITH (action = 'a call within a day'),
  in_talks WITH (action = 'a date for the next step'),
  draft_contract WITH (action = 'ask what is missing for the signature'),
  won WITH (action = 'hand over to service, ask for a referral'),
  lost WITH (action = 'ask why, come back in a year'),
  gone_quiet WITH (action = 'one last question, then lost'),
  other WITH (action = 'mend the status')
) AS
SELECT
  lead_id,
  CASE
    WHEN status IN ('won', 'lost') THEN status
    WHEN status NOT IN ('new', 'in_talks', 'draft_contract') OR status IS NULL THEN 'other'
    WHEN days_since(status_changed_at) > $leads_quiet_days THEN 'gone_quiet'
    ELSE status
  END AS stage,
  status,
  days_since(status_changed_at) AS days_in_status
FROM base.leads;

-- In talks or with a draft contract, and moved within $leads_hot_days days.
CREATE SEGMENT leads.hot WITH (
  key = 'lead_id',
  tags = 'leads',
  action = 'a call this week',
  channel = 'phone'
) AS
SELECT lead_id, status, days_in_status
FROM leads.statuses
WHERE stage IN ('in_talks', 'draft_contract')
  AND days_in_status <= $leads_hot_days;
