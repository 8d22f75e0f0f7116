-- One row per thing that a customer said they like, or how they like it.
CREATE TABLE base.preferences (
  customer_id ID COMMENT 'who',
  topic TEXT COMMENT 'what it is about: category, channel, frequency',
  value TEXT COMMENT 'what they chose'
);
