-- What the library asks for and the shop calls otherwise. All else is called as it asks already: `orders`,
-- `customers`, `leads`, `subscriptions` …

-- Visits of the site.
CREATE VIEW events AS
SELECT customer_id, occurred_at, kind, category
FROM web_events;

-- The newsletter is the only consent that the shop asks for, at the sign-up.
CREATE VIEW consents AS
SELECT customer_id, 'email' AS channel, newsletter AS is_given, signed_up_at AS changed_at
FROM customers;

-- What was spent on customers: goods that they kept, messages, service.
CREATE VIEW costs AS
SELECT o.customer_id, o.ordered_at AS spent_at, CAST(l.cost * l.quantity AS DECIMAL(14, 4)) AS amount, 'goods' AS kind
FROM orders_completed AS o
JOIN order_lines AS l ON l.order_id = o.order_id
UNION ALL
SELECT customer_id, sent_at, CAST(cost AS DECIMAL(14, 4)), 'ads'
FROM sends
UNION ALL
SELECT customer_id, spent_at, CAST(amount AS DECIMAL(14, 4)), kind
FROM service_costs;
