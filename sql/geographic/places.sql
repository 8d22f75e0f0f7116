-- The country of every customer, in capital letters; unknown where there is none.
CREATE SEGMENTATION geographic.countries WITH (
  key = 'customer_id',
  label = 'country',
  tags = 'geographic',
  action = 'delivery times, holidays and currency of the country'
) AS
SELECT customer_id, coalesce(nullif(upper(trim(country)), ''), 'unknown') AS country
FROM base.customers;

-- Home market or abroad.
CREATE SEGMENTATION geographic.markets WITH (
  key = 'customer_id',
  label = 'market',
  tags = 'geographic'
) LABELS (
  home WITH (action = 'next-day delivery'),
  abroad WITH (action = 'shipping cost and customs before the order'),
  unknown WITH (action = 'ask at the next order')
) AS
SELECT
  customer_id,
  CASE country WHEN 'unknown' THEN 'unknown' WHEN upper($geographic_home) THEN 'home' ELSE 'abroad' END AS market,
  country
FROM geographic.countries;

-- Cities with at least $geographic_city_customers customers by name, all others elsewhere.
-- The same name in another country is another city.
CREATE SEGMENTATION geographic.cities WITH (
  key = 'customer_id',
  label = 'city',
  tags = 'geographic',
  action = 'invitation to the showroom, pick-up points'
) AS
WITH places AS (
  SELECT c.customer_id, n.country, nullif(trim(c.city), '') AS city
  FROM base.customers AS c
  JOIN geographic.countries AS n ON n.customer_id = c.customer_id
),
large AS (
  SELECT country, city
  FROM places
  WHERE city IS NOT NULL
  GROUP BY country, city
  HAVING count(*) >= $geographic_city_customers
)
SELECT
  p.customer_id,
  CASE WHEN p.city IS NULL THEN 'unknown' WHEN l.city IS NULL THEN 'elsewhere' ELSE l.city END AS city,
  p.country
FROM places AS p
LEFT JOIN large AS l ON l.country = p.country AND l.city = p.city;

-- The region of every customer; unknown where there is none.
CREATE SEGMENTATION geographic.regions WITH (
  key = 'customer_id',
  label = 'region',
  tags = 'geographic',
  action = 'local events and weather'
) AS
SELECT customer_id, coalesce(nullif(trim(region), ''), 'unknown') AS region
FROM base.customers;

-- The language to write in: the customer's own, else that of a country with one. Belgium,
-- Switzerland and others with several leave it unknown.
CREATE SEGMENTATION geographic.languages WITH (
  key = 'customer_id',
  label = 'language',
  tags = 'geographic',
  action = 'texts in this language, English for unknown'
) AS
SELECT
  c.customer_id,
  coalesce(
    nullif(lower(left(trim(c.language), 2)), ''),
    CASE n.country
      WHEN 'PL' THEN 'pl' WHEN 'BG' THEN 'bg' WHEN 'DE' THEN 'de' WHEN 'AT' THEN 'de'
      WHEN 'GB' THEN 'en' WHEN 'US' THEN 'en' WHEN 'FR' THEN 'fr' WHEN 'IT' THEN 'it'
      WHEN 'ES' THEN 'es' WHEN 'PT' THEN 'pt' WHEN 'NL' THEN 'nl' WHEN 'CZ' THEN 'cs'
      WHEN 'SK' THEN 'sk' WHEN 'HU' THEN 'hu' WHEN 'RO' THEN 'ro' WHEN 'GR' THEN 'el'
      WHEN 'LT' THEN 'lt' WHEN 'LV' THEN 'lv' WHEN 'EE' THEN 'et' WHEN 'UA' THEN 'uk'
      WHEN 'SE' THEN 'sv' WHEN 'DK' THEN 'da' WHEN 'NO' THEN 'no' WHEN 'HR' THEN 'hr'
    END,
    'unknown'
  ) AS language
FROM base.customers AS c
JOIN geographic.countries AS n ON n.customer_id = c.customer_id;
