-- One row per person at a company.
CREATE TABLE base.contacts (
  contact_id ID COMMENT 'the person',
  company_id ID COMMENT 'where they work',
  job_title TEXT COMMENT 'as they write it',
  email TEXT COMMENT 'address at work',
  phone TEXT COMMENT 'number at work'
);
