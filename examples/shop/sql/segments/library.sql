-- Pet owners who are late against their own rhythm: the food has run out, or somebody else delivers it.
CREATE SEGMENT pet_food_due WITH (
  tags = 'affinity, loyalty, combined',
  action = 'Reminder with the food they bought last',
  channel = 'email'
) AS
SELECT d.customer_id, l.median_gap_days, l.days_overdue
FROM affinity.dog_owners AS d
JOIN "loyalty.rhythm:overdue" AS l ON l.customer_id = d.customer_id
WHERE d.customer_id IN (SELECT customer_id FROM "contactability.channels:email");

-- Whom the shop calls this week, by the first reason that applies: a large cart left behind, a whale, somebody
-- who came back.
CREATE SEGMENTATION who_to_call WITH (
  tags = 'combined',
  action = 'The list of the week for the shop''s phone'
) AS PRIORITY (carts.valuable, value.whales, "lifecycle.stages:won_back");
