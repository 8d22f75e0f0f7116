-- Where each lead came from: referral, ads, organic, social; unknown where nobody wrote it
-- down.
CREATE SEGMENTATION leads.sources WITH (
  key = 'lead_id',
  label = 'source',
  tags = 'leads',
  action = 'thank who referred, compare the cost of the others'
) AS
SELECT
  lead_id,
  coalesce(nullif(lower(trim(source)), ''), 'unknown') AS source,
  status
FROM base.leads;

-- Open leads that nobody looks after.
CREATE SEGMENT leads.unowned WITH (
  key = 'lead_id',
  tags = 'leads',
  action = 'give them to somebody today'
) AS
SELECT lead_id, status, created_at
FROM base.leads
WHERE status NOT IN ('won', 'lost')
  AND (owner IS NULL OR trim(owner) = '');

-- Open leads by who looks after them.
CREATE SEGMENTATION leads.owners WITH (
  key = 'lead_id',
  label = 'owner',
  tags = 'leads',
  action = 'the weekly list of each of them'
) AS
SELECT lead_id, owner, status
FROM base.leads
WHERE status NOT IN ('won', 'lost')
  AND trim(owner) <> '';
