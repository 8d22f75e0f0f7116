-- One row per message sent to a customer.
CREATE TABLE base.sends (
  customer_id ID COMMENT 'to whom',
  campaign_id ID COMMENT 'of which campaign',
  channel TEXT COMMENT 'email, sms',
  sent_at TIMESTAMP NOT NULL COMMENT 'when',
  opened_at TIMESTAMP COMMENT 'when it was first opened; NULL for never',
  clicked_at TIMESTAMP COMMENT 'when a link in it was first clicked; NULL for never',
  bounced_at TIMESTAMP COMMENT 'when it came back; NULL for never',
  unsubscribed_at TIMESTAMP COMMENT 'when they unsubscribed through it; NULL for never'
);
