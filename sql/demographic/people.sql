-- Age bands by the age that is reached this year; unknown without a year of birth, or
-- with one that nobody alive can have.
CREATE SEGMENTATION demographic.ages WITH (
  key = 'customer_id',
  label = 'band',
  tags = 'demographic',
  action = 'size of type, tone and pictures'
) AS
SELECT
  customer_id,
  CASE
    WHEN age < 0 OR age > 120 OR age IS NULL THEN 'unknown'
    WHEN age < 18 THEN 'under_18'
    WHEN age < 25 THEN '18_24'
    WHEN age < 35 THEN '25_34'
    WHEN age < 45 THEN '35_44'
    WHEN age < 55 THEN '45_54'
    WHEN age < 65 THEN '55_64'
    ELSE '65_plus'
  END AS band,
  age
FROM (
  SELECT customer_id, CAST(date_part('year', as_of()) AS BIGINT) - birth_year AS age
  FROM base.customers
) AS aged;

-- Generations by year of birth, as the Pew Research Center draws them: silent to 1945,
-- boomer to 1964, x to 1980, millennial to 1996, z to 2012, alpha after.
CREATE SEGMENTATION demographic.generations WITH (
  key = 'customer_id',
  label = 'generation',
  tags = 'demographic',
  action = 'channels: younger ones in the app, older ones by letter and phone'
) AS
SELECT
  d.customer_id,
  CASE
    WHEN d.band = 'unknown' THEN 'unknown'
    WHEN c.birth_year <= 1945 THEN 'silent'
    WHEN c.birth_year <= 1964 THEN 'boomer'
    WHEN c.birth_year <= 1980 THEN 'x'
    WHEN c.birth_year <= 1996 THEN 'millennial'
    WHEN c.birth_year <= 2012 THEN 'z'
    ELSE 'alpha'
  END AS generation
FROM demographic.ages AS d
JOIN base.customers AS c ON c.customer_id = d.customer_id;

-- Gender as customers say it of themselves; unknown where they do not.
CREATE SEGMENTATION demographic.genders WITH (
  key = 'customer_id',
  label = 'gender',
  tags = 'demographic',
  action = 'forms of address, never the range shown'
) AS
SELECT customer_id, coalesce(nullif(lower(trim(gender)), ''), 'unknown') AS gender
FROM base.customers;

-- Households with children; where nothing is known of these, of $demographic_family_size
-- people or more.
CREATE SEGMENT demographic.families WITH (
  key = 'customer_id',
  tags = 'demographic',
  action = 'family packs, school terms and holidays'
) AS
SELECT customer_id, has_children, household_size
FROM base.customers
WHERE coalesce(has_children, household_size >= $demographic_family_size);
