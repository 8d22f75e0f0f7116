-- Whoever completes an order pays something.
CREATE CHECK completed_orders_cost_something AS
SELECT order_id, customer_id, amount
FROM orders_completed
WHERE amount IS NULL OR amount <= 0;

-- Every order belongs to a customer who had signed up by then.
CREATE CHECK orders_have_a_customer AS
SELECT o.order_id, o.customer_id, o.ordered_at
FROM orders AS o
LEFT JOIN customers AS c ON c.customer_id = o.customer_id
WHERE c.customer_id IS NULL OR c.signed_up_at > o.ordered_at;

-- What was paid is the goods less the discount plus the shipping.
CREATE CHECK amounts_add_up AS
SELECT o.order_id, o.amount, sum(l.price * l.quantity) AS goods
FROM orders AS o
LEFT JOIN order_lines AS l ON l.order_id = o.order_id
GROUP BY o.order_id, o.amount, o.discount, o.shipping
HAVING coalesce(sum(l.price * l.quantity), 0) - o.discount + o.shipping <> o.amount;

-- Lines name a product of the catalogue, in its category and not below its cost.
CREATE CHECK lines_match_products AS
SELECT l.order_id, l.line_no, l.product_id, l.category
FROM order_lines AS l
LEFT JOIN products AS p ON p.product_id = l.product_id
WHERE p.product_id IS NULL OR p.category <> l.category OR l.price < l.cost;
