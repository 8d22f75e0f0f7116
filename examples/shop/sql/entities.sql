CREATE ENTITY customers FROM customers KEY customer_id;

CREATE ENTITY leads FROM leads KEY lead_id;

CREATE ENTITY contacts FROM contacts KEY contact_id;
