-- What the library asks for and the shop calls otherwise. `orders`, `order_lines`, `customers`,
-- `carts`, `leads`, `lead_changes`, `sends`, `survey` and `products` are what it asks for already.

-- Visits of the site.
CREATE VIEW events AS
SELECT customer_id, occurred_at, kind, category
FROM web_events;

-- The newsletter is the only consent that the shop asks for, at the sign-up.
CREATE VIEW consents AS
SELECT customer_id, 'email' AS channel, newsletter AS is_given, signed_up_at AS changed_at
FROM customers;
