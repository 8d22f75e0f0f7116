-- One row per cart.
CREATE TABLE base.carts (
  cart_id ID COMMENT 'the cart',
  customer_id ID COMMENT 'whose; NULL for a stranger, whom nothing counts',
  created_at TIMESTAMP NOT NULL COMMENT 'when something was last put into it, or, if only that is known, first',
  checked_out_at TIMESTAMP COMMENT 'when it became an order; NULL while it has not',
  value MONEY COMMENT 'of all that is in it',
  currency TEXT DEFAULT NULL COMMENT 'of the value',
  items NUMERIC COMMENT 'how many pieces are in it',
  channel TEXT COMMENT 'where it was filled: web, app'
);
