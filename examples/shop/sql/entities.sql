CREATE ENTITY customers FROM customers KEY customer_id;

CREATE ENTITY leads FROM leads KEY lead_id;
