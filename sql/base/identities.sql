-- One row per name that a customer goes by elsewhere.
CREATE TABLE base.identities (
  customer_id ID COMMENT 'who',
  kind TEXT COMMENT 'email, phone, cookie, card',
  value TEXT COMMENT 'as it was given'
);
