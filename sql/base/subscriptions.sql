-- One row per subscription to goods or services.
CREATE TABLE base.subscriptions (
  customer_id ID COMMENT 'whose',
  plan TEXT COMMENT 'what they subscribed to',
  started_at TIMESTAMP NOT NULL COMMENT 'when it began',
  ends_at TIMESTAMP COMMENT 'when it ends or ended; NULL for none set'
);
