-- One row per customer.
CREATE TABLE base.customers (
  customer_id ID COMMENT 'the customer',
  signed_up_at TIMESTAMP COMMENT 'when they became known',
  customer_type TEXT COMMENT 'b2b for a business, b2c for a private person',
  company_id ID COMMENT 'the company they buy for; NULL for a private person',
  lead_source TEXT COMMENT 'where they came from: organic, ads, referral, social',
  country TEXT COMMENT 'two letters of ISO 3166, PL',
  region TEXT COMMENT 'voivodeship, oblast, state',
  city TEXT COMMENT 'city or town',
  postcode TEXT COMMENT 'as the country writes it',
  language TEXT DEFAULT NULL COMMENT 'two letters of ISO 639, pl',
  birth_year BIGINT COMMENT 'year of birth',
  gender TEXT COMMENT 'as they say it of themselves',
  household_size BIGINT COMMENT 'people in the household',
  has_children BOOLEAN COMMENT 'do children live there?',
  email TEXT COMMENT 'address, as it was given',
  phone TEXT COMMENT 'number, as it was given',
  newsletter BOOLEAN COMMENT 'do they take the newsletter?'
);
