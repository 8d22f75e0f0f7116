-- Business or private; unknown where the project does not say b2b or b2c.
CREATE SEGMENTATION b2b.kinds WITH (
  key = 'customer_id',
  label = 'kind',
  tags = 'b2b'
) LABELS (
  business WITH (action = 'net prices, invoices, an account manager'),
  private WITH (action = 'gross prices, the shop as it is'),
  unknown WITH (action = 'ask at the next order')
) AS
SELECT
  customer_id,
  CASE lower(trim(customer_type)) WHEN 'b2b' THEN 'business' WHEN 'b2c' THEN 'private' ELSE 'unknown' END AS kind
FROM base.customers;

-- Customers who buy for a company, by its size as the EU counts it: micro under 10 people,
-- small under 50, medium under 250, large; unknown where nobody counted.
CREATE SEGMENTATION b2b.sizes WITH (
  key = 'customer_id',
  label = 'size',
  tags = 'b2b'
) LABELS (
  micro WITH (action = 'self-service and cards'),
  small WITH (action = 'invoices with time to pay'),
  medium WITH (action = 'an account manager'),
  large WITH (action = 'a framework contract'),
  unknown WITH (action = 'look the company up')
) AS
SELECT
  customers.customer_id,
  CASE
    WHEN companies.employees < 10 THEN 'micro'
    WHEN companies.employees < 50 THEN 'small'
    WHEN companies.employees < 250 THEN 'medium'
    WHEN companies.employees >= 250 THEN 'large'
    ELSE 'unknown'
  END AS size,
  companies.company_id,
  companies.employees
FROM base.customers AS customers
JOIN base.companies AS companies ON companies.company_id = customers.company_id;

-- Customers who buy for a company, by its industry.
CREATE SEGMENTATION b2b.industries WITH (
  key = 'customer_id',
  label = 'industry',
  tags = 'b2b',
  action = 'cases and catalogues of the industry'
) AS
SELECT
  customers.customer_id,
  coalesce(nullif(trim(companies.industry), ''), 'unknown') AS industry,
  companies.company_id
FROM base.customers AS customers
JOIN base.companies AS companies ON companies.company_id = customers.company_id;

-- Whom prices are shown to without tax: who asked for it, and business customers of whose
-- company nobody said otherwise.
CREATE SEGMENT b2b.net_prices WITH (
  key = 'customer_id',
  tags = 'b2b',
  action = 'prices without tax in shop and mailings'
) AS
SELECT customers.customer_id
FROM base.customers AS customers
LEFT JOIN base.companies AS companies ON companies.company_id = customers.company_id
WHERE coalesce(companies.net_prices, lower(trim(customers.customer_type)) = 'b2b');
