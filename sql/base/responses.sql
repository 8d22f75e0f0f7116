-- One row per answer to a campaign.
CREATE TABLE base.responses (
  customer_id ID COMMENT 'who',
  campaign_id ID COMMENT 'to which campaign',
  responded_at TIMESTAMP NOT NULL COMMENT 'when',
  kind TEXT COMMENT 'reply, call, coupon, complaint'
);
