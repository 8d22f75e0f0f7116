-- The files of the shop. What has a time is read as it was known at the as-of date.

CREATE SOURCE customers FROM 'data/customers.csv' WITH (
  key = 'customer_id',
  event_time = 'signed_up_at',
  personal = 'first_name, last_name, email, phone',
  demographic = 'birth_year'
);

CREATE SOURCE orders FROM 'data/orders.parquet' WITH (
  key = 'order_id',
  event_time = 'ordered_at'
);

-- Lines have no time of their own: they are always read together with their order.
CREATE SOURCE order_lines FROM 'data/order_lines.parquet';

CREATE SOURCE products FROM 'data/products.csv' WITH (key = 'product_id');

CREATE SOURCE carts FROM 'data/carts.parquet' WITH (
  key = 'cart_id',
  event_time = 'created_at'
);

CREATE SOURCE web_events FROM 'data/web_events.parquet' WITH (
  key = 'event_id',
  event_time = 'occurred_at'
);

CREATE SOURCE campaigns FROM 'data/campaigns.csv' WITH (
  key = 'campaign_id',
  event_time = 'starts_on'
);

CREATE SOURCE sends FROM 'data/sends.parquet' WITH (event_time = 'sent_at');

-- One row each time a lead changes its status.
CREATE SOURCE lead_changes FROM 'data/lead_changes.csv' WITH (
  key = 'lead_id, status_changed_at',
  event_time = 'status_changed_at',
  personal = 'email'
);

CREATE SOURCE survey FROM 'data/survey.csv' WITH (event_time = 'answered_at');
