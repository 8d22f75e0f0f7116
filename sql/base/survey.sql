-- One row per answer to a question of a survey.
CREATE TABLE base.survey (
  customer_id ID COMMENT 'who answered',
  question TEXT COMMENT 'the name of what was asked: motive, lifestyle, satisfaction',
  answer TEXT COMMENT 'what was chosen or said',
  score NUMERIC COMMENT 'the answer as a number: agreement 1 to 5, recommendation 0 to 10',
  answered_at TIMESTAMP NOT NULL COMMENT 'when'
);
