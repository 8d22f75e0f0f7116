-- One row per member of the loyalty programme.
CREATE TABLE base.loyalty_accounts (
  customer_id ID COMMENT 'whose',
  points NUMERIC COMMENT 'points that can be spent',
  tier TEXT COMMENT 'the tier that the programme says they are in',
  points_expire_at TIMESTAMP COMMENT 'when the next points are lost; NULL for never'
);
