-- The last message by e-mail within $contactability_days days came back.
CREATE SEGMENT contactability.bounced WITH (
  key = 'customer_id',
  tags = 'contactability',
  action = 'no more mail there, ask for a new address'
) AS
SELECT customer_id, max(sent_at) AS last_sent_at
FROM base.sends
WHERE customer_id IS NOT NULL
  AND lower(trim(channel)) = 'email'
  AND days_since(sent_at) < $contactability_days
GROUP BY customer_id
HAVING max(sent_at) FILTER (WHERE days_since(bounced_at) >= 0) = max(sent_at);

-- One e-mail address, phone number or card that several customers go by.
CREATE SEGMENT contactability.shared_identities WITH (
  key = 'customer_id',
  tags = 'contactability',
  action = 'ask whether they are one person before merging'
) AS
SELECT customer_id, count(*) AS shared, max(customers) AS customers
FROM (
  SELECT customer_id, count(*) OVER (PARTITION BY kind, name) AS customers
  FROM (
    SELECT DISTINCT customer_id, kind, lower(trim(value)) AS name
    FROM base.identities
    WHERE customer_id IS NOT NULL
      AND kind <> 'cookie'
      AND trim(value) <> ''
  ) AS known
) AS counted
WHERE customers > 1
GROUP BY customer_id;
