-- The latest word of every customer about each channel. Of a yes and a no at one time the
-- no counts.
CREATE VIEW contactability.consents AS
SELECT customer_id, channel, is_given
FROM (
  SELECT
    customer_id,
    lower(trim(channel)) AS channel,
    changed_at,
    bool_and(is_given) AS is_given
  FROM base.consents
  WHERE customer_id IS NOT NULL
    AND is_given IS NOT NULL
  GROUP BY customer_id, lower(trim(channel)), changed_at
) AS words
QUALIFY row_number() OVER (PARTITION BY customer_id, channel ORDER BY changed_at DESC) = 1;

-- The channels in which somebody is reachable, a label each: email and sms with a consent
-- and an address or number that can be right, phone likewise.
CREATE SEGMENTATION contactability.channels WITH (
  key = 'customer_id',
  label = 'channel',
  multiple = true,
  tags = 'contactability',
  action = 'campaigns of this channel reach only these'
) AS
SELECT a.customer_id, c.channel
FROM contactability.addresses AS a
JOIN contactability.consents AS c ON c.customer_id = a.customer_id
WHERE c.is_given
  AND (
    c.channel = 'email' AND a.email_state = 'valid'
    OR c.channel IN ('sms', 'phone') AND a.phone_state = 'valid'
  );

-- Customers whom no campaign reaches: no channel with both a consent and an address.
CREATE SEGMENT contactability.unreachable WITH (
  key = 'customer_id',
  tags = 'contactability',
  action = 'ask for address and consent at the next order'
) AS
SELECT a.customer_id, a.email_state, a.phone_state
FROM contactability.addresses AS a
WHERE NOT EXISTS (
  SELECT 1 FROM contactability.channels AS c WHERE c.customer_id = a.customer_id
);
