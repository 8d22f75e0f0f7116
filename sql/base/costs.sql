-- One row per cost of serving or winning a customer.
CREATE TABLE base.costs (
  customer_id ID COMMENT 'on whom it was spent',
  spent_at TIMESTAMP NOT NULL COMMENT 'when',
  amount MONEY NOT NULL COMMENT 'how much',
  currency TEXT DEFAULT NULL COMMENT 'of the amount',
  kind TEXT COMMENT 'goods, shipping, support, ads'
);
