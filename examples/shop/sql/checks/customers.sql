-- An address belongs to one customer only, however it is written.
CREATE CHECK emails_are_unique AS
SELECT lower(trim(email)) AS address, count(*) AS customers
FROM customers
WHERE email IS NOT NULL
GROUP BY lower(trim(email))
HAVING count(*) > 1;

-- Countries are written as two capital letters.
CREATE CHECK countries_are_codes AS
SELECT customer_id, country
FROM customers
WHERE country IS NULL OR NOT regexp_like(country, '^[A-Z]{2}$');
