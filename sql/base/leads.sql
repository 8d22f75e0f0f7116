-- One row per lead, as it stands.
CREATE TABLE base.leads (
  lead_id ID COMMENT 'the lead',
  source TEXT COMMENT 'where it came from: organic, ads, referral, social',
  status TEXT COMMENT 'new, in_talks, draft_contract, won or lost',
  owner TEXT COMMENT 'who in sales looks after it; NULL for nobody',
  created_at TIMESTAMP COMMENT 'when it came',
  status_changed_at TIMESTAMP COMMENT 'when its status last changed'
);
