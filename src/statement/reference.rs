//! What is said of each statement beside DataFusion's: the reference goes by it.

/// A statement of segql's own.
#[derive(Debug, Clone, Copy)]
pub struct StatementReference {
    /// The words it begins with.
    pub name: &'static str,
    /// How it is written.
    pub call: &'static str,
    /// What it does, the first sentence by itself.
    pub meaning: &'static str,
    /// One of its kind.
    pub example: &'static str,
}

const fn statement(
    name: &'static str,
    call: &'static str,
    meaning: &'static str,
    example: &'static str,
) -> StatementReference {
    StatementReference {
        name,
        call,
        meaning,
        example,
    }
}

/// Statements beside DataFusion's, by name.
pub const STATEMENTS: [StatementReference; 17] = [
    statement(
        "CREATE CHECK",
        "CREATE [OR REPLACE] CHECK name [WITH (…)] AS query",
        "What must hold of the data. Rows that the query returns are violations; segql check runs it.",
        "CREATE CHECK paid AS SELECT order_id FROM orders WHERE amount <= 0",
    ),
    statement(
        "CREATE ENTITY",
        "CREATE [OR REPLACE] ENTITY name FROM source_or_view KEY column",
        "Whom segments are about: the table that lists them all, and its key. It is the base of every share.",
        "CREATE ENTITY customers FROM customers KEY customer_id",
    ),
    statement(
        "CREATE FROZEN VIEW",
        "CREATE [OR REPLACE] FROZEN VIEW name AS OF 'date' AS query",
        "A view that is computed once, at its date, and kept in the store. segql run --refreeze renews it.",
        "CREATE FROZEN VIEW cuts AS OF '2024-12-31' AS SELECT quantile_cuts(amount, 5) AS cuts FROM orders",
    ),
    statement(
        "CREATE FUNCTION",
        "CREATE [OR REPLACE] FUNCTION name(parameter [type], …) [RETURNS type] RETURN expression",
        "An SQL macro: the expression stands where it is called.",
        "CREATE FUNCTION margin(price, cost) RETURN (price - cost) / price",
    ),
    statement(
        "CREATE SEGMENT",
        "CREATE [OR REPLACE] SEGMENT name [WITH (…)] AS query",
        "Who is in: a view with precisely one row per key. Options are entity, key, description, owner, \
         purpose, tags, action, channel, min_size, max_size, max_change, nondeterministic.",
        "CREATE SEGMENT inactive WITH (action = 'win back') AS \
         SELECT customer_id FROM orders GROUP BY customer_id HAVING days_since(max(ordered_at)) > 180",
    ),
    statement(
        "CREATE SEGMENTATION",
        "CREATE [OR REPLACE] SEGMENTATION name [WITH (…)] [LABELS (label [WITH (…)], …)] AS query | AS PRIORITY (segment, …) [OTHERWISE 'label']",
        "One label for everyone, or several where it says multiple = true. With PRIORITY the first \
         segment that has somebody gives the label. Options are those of a segment, and label, \
         otherwise, title, multiple.",
        "CREATE SEGMENTATION main AS PRIORITY (vip, \"rfm:champions\") OTHERWISE 'rest'",
    ),
    statement(
        "CREATE SOURCE",
        "CREATE [OR REPLACE] SOURCE name FROM 'path | glob | folder' [WITH (option = value, …)]",
        "A named input: files, with what tells when each row happened or became known.",
        "CREATE SOURCE orders FROM 'data/orders*.parquet' WITH (key = 'order_id', event_time = 'ordered_at')",
    ),
    statement(
        "DESCRIBE",
        "DESCRIBE [SEGMENT] name",
        "Columns of what is named; of a segment its text, key, size, what it depends on and what uses it.",
        "DESCRIBE SEGMENT vip",
    ),
    statement(
        "DIFF SEGMENT",
        "DIFF SEGMENT name AS query",
        "Who would enter and leave with this definition. Nothing is saved.",
        "DIFF SEGMENT vip AS SELECT customer_id FROM orders",
    ),
    statement(
        "DROP",
        "DROP SOURCE | ENTITY | VIEW | SEGMENT | SEGMENTATION | CHECK [IF EXISTS] name",
        "Takes a definition away, unless something builds on it.",
        "DROP SEGMENT IF EXISTS vip",
    ),
    statement(
        "INCLUDE LIBRARY",
        "INCLUDE LIBRARY name [, …]",
        "Brings in the segments of a library; library = [\"…\"] in segql.toml does the same.",
        "INCLUDE LIBRARY rfm, lifecycle",
    ),
    statement(
        "MATERIALIZE",
        "MATERIALIZE [SEGMENT] name [TO 'file'] [WITH (…)]",
        "Keeps the members of the as-of date in the store, or in a file: segql run from SQL.",
        "MATERIALIZE SEGMENT vip",
    ),
    statement(
        "SET segql.as_of",
        "SET segql.as_of = 'date'",
        "The end of which day things are looked at: a date, an instant, today, yesterday, -7d, last-month-end.",
        "SET segql.as_of = '2026-01-31'",
    ),
    statement(
        "SET segql.time_zone",
        "SET segql.time_zone = 'zone'",
        "The zone whose days and hours count.",
        "SET segql.time_zone = 'Europe/Warsaw'",
    ),
    statement(
        "SHOW",
        "SHOW SOURCES | ENTITIES | VIEWS | FROZEN VIEWS | SEGMENTS | SEGMENTATIONS | CHECKS | TABLES",
        "What is defined.",
        "SHOW SEGMENTS",
    ),
    statement(
        "SHOW LIBRARIES",
        "SHOW LIBRARIES",
        "The libraries of segments that come along: what each is for, its segments, what it reads.",
        "SHOW LIBRARIES",
    ),
    statement(
        "SHOW segql.as_of",
        "SHOW segql.as_of | segql.time_zone",
        "A setting as it is.",
        "SHOW segql.as_of",
    ),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::Script;
    use crate::statement::{Statement, parse};

    #[test]
    fn every_example_is_a_statement_of_our_own_that_begins_with_its_name() {
        for it in STATEMENTS {
            let script = Arc::new(Script::new("reference", it.example));
            let mut parsed = parse(&script).expect("splits");
            assert_eq!(parsed.len(), 1, "{}", it.name);
            let parsed = parsed.remove(0);
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", it.name));
            assert!(
                !matches!(parsed.statement, Statement::Sql(_)),
                "{}",
                it.name
            );
            assert!(it.example.starts_with(it.name), "{}", it.name);
            assert!(
                it.call
                    .contains(it.name.split(' ').next().unwrap_or_default())
            );
        }
        assert!(STATEMENTS.is_sorted_by_key(|it| it.name.to_lowercase()));
    }
}
