-- Leads with a draft contract, or in talks, that moved within the last 30 days. Call them this week.
CREATE SEGMENT hot_leads WITH (
  entity = 'leads',
  tags = 'leads',
  action = 'Call within the week',
  channel = 'phone'
) AS
SELECT lead_id, source, status, days_since(status_changed_at) AS days_in_status
FROM leads
WHERE status IN ('in_talks', 'draft_contract')
  AND days_since(status_changed_at) <= 30;

-- Leads in talks or with a draft contract that have not moved for more than 60 days.
-- Ask once more, then close them.
CREATE SEGMENT stalled_leads WITH (
  entity = 'leads',
  tags = 'leads',
  action = 'One last question, then lost',
  channel = 'email'
) AS
SELECT lead_id, source, status, days_since(status_changed_at) AS days_in_status
FROM leads
WHERE status IN ('in_talks', 'draft_contract')
  AND days_since(status_changed_at) > 60;

-- Leads that came by referral and are still open. They close more often than any others.
CREATE SEGMENT referred_leads WITH (
  entity = 'leads',
  tags = 'leads',
  action = 'Thank the one who referred them'
) AS
SELECT lead_id, status, created_at
FROM leads
WHERE source = 'referral'
  AND status NOT IN ('won', 'lost');
