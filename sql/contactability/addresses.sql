-- One row per customer: can the address and the number be right? valid, invalid or
-- missing. Of addresses is_email says so. A number has 7 to 15 digits (E.164) beside blanks,
-- dots, slashes, hyphens, brackets and a + in front.
CREATE VIEW contactability.addresses AS
SELECT
  customer_id,
  CASE
    WHEN email IS NULL OR trim(email) = '' THEN 'missing'
    WHEN is_email(email) THEN 'valid'
    ELSE 'invalid'
  END AS email_state,
  CASE
    WHEN phone IS NULL OR trim(phone) = '' THEN 'missing'
    WHEN regexp_like(trim(phone), '^\+?[0-9 ./()-]+$')
      AND length(regexp_replace(phone, '[^0-9]', '', 'g')) BETWEEN 7 AND 15 THEN 'valid'
    ELSE 'invalid'
  END AS phone_state
FROM base.customers;

-- E-mail addresses by whether they can be right.
CREATE SEGMENTATION contactability.email WITH (
  key = 'customer_id',
  label = 'email_state',
  tags = 'contactability'
) LABELS (
  valid WITH (action = 'none'),
  invalid WITH (action = 'ask for the address at the next order or call'),
  missing WITH (action = 'ask for it with a reason to give it')
) AS
SELECT customer_id, email_state
FROM contactability.addresses;

-- Customers who share a possible e-mail address, however it is written, with a customer of
-- a smaller key: probably the same person twice.
CREATE SEGMENT contactability.duplicates WITH (
  key = 'customer_id',
  tags = 'contactability',
  action = 'merge with the first, write only once'
) AS
SELECT customer_id, first_customer_id
FROM (
  SELECT
    customer_id,
    min(customer_id) OVER (PARTITION BY normalize_email(email)) AS first_customer_id
  FROM base.customers
  WHERE is_email(email)
) AS sharing
WHERE customer_id > first_customer_id;
