-- One row per figure of the market to compare with.
CREATE TABLE base.benchmarks (
  metric TEXT COMMENT 'orders_per_year, average_order, order_share_returned, …',
  industry TEXT DEFAULT NULL COMMENT 'of which industry; NULL for all',
  value NUMERIC COMMENT 'the usual value there'
);
