-- What customers said they care for (preferences of the topic `interest`), a label each.
CREATE SEGMENTATION psychographic.interests WITH (
  key = 'customer_id',
  label = 'interest',
  multiple = true,
  tags = 'psychographic',
  action = 'what they asked for comes first'
) AS
SELECT DISTINCT customer_id, lower(trim(value)) AS interest
FROM base.preferences
WHERE customer_id IS NOT NULL
  AND topic = 'interest'
  AND trim(value) <> '';
