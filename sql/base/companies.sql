-- One row per company that is a customer.
CREATE TABLE base.companies (
  company_id ID COMMENT 'the company',
  name TEXT COMMENT 'what it is called',
  industry TEXT COMMENT 'what it does, in the words of the project',
  employees BIGINT COMMENT 'how many people work there',
  country TEXT COMMENT 'two letters of ISO 3166',
  net_prices BOOLEAN DEFAULT NULL COMMENT 'are prices shown to them without tax?'
);
