-- Lines of the orders that count, each with who bought and when.
CREATE VIEW features.lines AS
SELECT p.customer_id, p.ordered_at, p.amount, l.*
FROM features.purchases AS p
JOIN base.order_lines AS l ON l.order_id = p.order_id;
