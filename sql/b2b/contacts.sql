-- People at companies whose title says that they decide. A word counts where it stands
-- alone: a headhunter is no head.
CREATE SEGMENT b2b.deciders WITH (
  key = 'contact_id',
  tags = 'b2b',
  action = 'a call before the offer goes out',
  channel = 'phone'
) AS
SELECT contact_id, company_id, job_title
FROM base.contacts
WHERE regexp_like(lower(job_title), concat('(^|[^\pL])(', $b2b_decider_titles, ')([^\pL]|$)'));
