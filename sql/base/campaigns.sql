-- One row per campaign.
CREATE TABLE base.campaigns (
  campaign_id ID COMMENT 'the campaign',
  name TEXT COMMENT 'what it is called',
  channel TEXT COMMENT 'email, sms, ads',
  starts_on TIMESTAMP COMMENT 'when it begins'
);
