-- Customers in the home market. Delivery the next day is promised to them only.
CREATE SEGMENT home_market WITH (
  tags = 'geography',
  action = 'Next-day delivery'
) AS
SELECT customer_id, city
FROM customers
WHERE country = $country;

-- Customers in a city with a showroom. Invite them in.
CREATE SEGMENT showroom_cities WITH (
  tags = 'geography',
  action = 'Invitation to the showroom'
) AS
SELECT customer_id, country, city
FROM customers
WHERE city IN ('Warszawa', 'Kraków', 'София', 'London', 'Berlin');
