-- The files of the shop. What has a time is read as it was known at the as-of date.

CREATE SOURCE customers FROM 'data/customers.csv' WITH (
  key = 'customer_id',
  event_time = 'signed_up_at',
  personal = 'first_name, last_name, email, phone',
  demographic = 'birth_year, gender, household_size, has_children'
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

-- Those whom business customers buy for, and the people there.
CREATE SOURCE companies FROM 'data/companies.csv' WITH (
  key = 'company_id',
  event_time = 'known_since'
);

CREATE SOURCE contacts FROM 'data/contacts.csv' WITH (
  key = 'contact_id',
  event_time = 'known_since',
  personal = 'email, phone'
);

-- Who in sales looks after a lead.
CREATE SOURCE lead_owners FROM 'data/lead_owners.csv' WITH (
  key = 'lead_id',
  event_time = 'assigned_on'
);

CREATE SOURCE service_costs FROM 'data/service_costs.parquet' WITH (event_time = 'spent_at');

CREATE SOURCE responses FROM 'data/responses.csv' WITH (event_time = 'responded_at');

-- Exports of the loyalty programme, each with all cards: the newest at the as-of date counts.
CREATE SOURCE loyalty_accounts FROM 'data/loyalty_cards.parquet' WITH (
  key = 'customer_id',
  latest_by = 'exported_on'
);

CREATE SOURCE subscriptions FROM 'data/subscriptions.csv' WITH (event_time = 'started_at');

CREATE SOURCE identities FROM 'data/identities.csv' WITH (
  event_time = 'issued_on',
  personal = 'value'
);

CREATE SOURCE preferences FROM 'data/preferences.csv' WITH (event_time = 'told_on');

-- What other shops reach.
CREATE SOURCE benchmarks FROM 'data/benchmarks.csv' WITH (event_time = 'published_on');
