-- One row per product.
CREATE TABLE base.products (
  product_id ID COMMENT 'the product',
  name TEXT COMMENT 'what it is called',
  category TEXT COMMENT 'the category it is sold in',
  price MONEY COMMENT 'of one piece',
  cost MONEY COMMENT 'what one piece costs the shop',
  currency TEXT DEFAULT NULL COMMENT 'of price and cost',
  stock NUMERIC DEFAULT NULL COMMENT 'how many pieces can be sold; NULL where nobody counts'
);
