-- One row per order, whatever became of it.
CREATE TABLE base.orders (
  order_id ID COMMENT 'the order; lines and checks name it',
  customer_id ID COMMENT 'who ordered; NULL for a guest, whom nothing counts',
  ordered_at TIMESTAMP NOT NULL COMMENT 'when',
  amount MONEY NOT NULL COMMENT 'what was paid, after discounts, with tax and shipping if these belong to it',
  currency TEXT DEFAULT NULL COMMENT 'of all money of the order; several of them are never added up',
  status TEXT DEFAULT 'completed' COMMENT 'completed counts, returned was sent back, anything else does not count',
  channel TEXT COMMENT 'where it was placed: web, app, shop, phone',
  discount MONEY COMMENT 'what was taken off, 0 for nothing',
  net_amount MONEY COMMENT 'the amount without tax'
);
