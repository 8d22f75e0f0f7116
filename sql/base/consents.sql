-- One row each time that somebody agreed to be written to, or took it back.
CREATE TABLE base.consents (
  customer_id ID COMMENT 'who',
  channel TEXT COMMENT 'email, sms, phone, post',
  is_given BOOLEAN COMMENT 'true for yes, false for taken back',
  changed_at TIMESTAMP NOT NULL COMMENT 'when'
);
