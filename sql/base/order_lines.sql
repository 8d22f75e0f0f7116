-- One row per line of an order.
CREATE TABLE base.order_lines (
  order_id ID COMMENT 'the order it belongs to',
  product_id ID COMMENT 'what was bought',
  category TEXT COMMENT 'the category it was bought in',
  quantity NUMERIC DEFAULT 1 COMMENT 'how many pieces',
  price NUMERIC COMMENT 'of one piece, in the currency of the order'
);
