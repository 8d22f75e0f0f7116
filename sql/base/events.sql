-- One row per thing that somebody did on the site or in the app.
CREATE TABLE base.events (
  customer_id ID COMMENT 'who; NULL for a stranger, whom nothing counts',
  occurred_at TIMESTAMP NOT NULL COMMENT 'when',
  kind TEXT COMMENT 'page_view, product_view, add_to_cart, search, pricing, webinar, trial, signup, download, …',
  category TEXT COMMENT 'the category looked at',
  product_id ID COMMENT 'the product looked at'
);
