-- Answered a campaign within $engagement_days days, a complaint left out.
CREATE SEGMENT engagement.respondents WITH (
  key = 'customer_id',
  tags = 'engagement',
  action = 'an answer from a person'
) AS
SELECT customer_id, count(*) AS answers, max(responded_at) AS last_answer_at
FROM base.responses
WHERE customer_id IS NOT NULL
  AND days_since(responded_at) < $engagement_days
  AND kind IS DISTINCT FROM 'complaint'
GROUP BY customer_id;
