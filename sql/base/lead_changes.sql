-- One row each time that a lead changed its status.
CREATE TABLE base.lead_changes (
  lead_id ID COMMENT 'the lead',
  status TEXT COMMENT 'what it became',
  status_changed_at TIMESTAMP NOT NULL COMMENT 'when'
);
