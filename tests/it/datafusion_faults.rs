//! Faults of DataFusion that segql mends: each shown in a plain session, and absent here.
//!
//! A case that fails on DataFusion's side is good news: its mend can go.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use segql::error::{Error, Result, Script};
use segql::run::{Engine, Outcome, Setup};
use segql::session::Variables;
use segql::statement;
use std::sync::Arc;

struct Fault {
    mend: &'static str,
    /// What comes before the question, where the two differ.
    before: [&'static str; 2],
    question: &'static str,
    /// The answer of plain DataFusion.
    wrong: &'static str,
    right: &'static str,
}

const FAULTS: [Fault; 17] = [
    Fault {
        mend: "udfs/src/aggregate/exact",
        before: ["", ""],
        question: "SELECT sum(x) FROM (VALUES (9223372036854775807), (1)) AS t (x)",
        wrong: "-9223372036854775808",
        right: "error: the sum 9223372036854775808 goes beyond the range of BIGINT",
    },
    Fault {
        mend: "udfs/src/aggregate/exact",
        before: ["", ""],
        question: "SELECT sum(x) < 0 FROM (VALUES (CAST('99000000000000000000000000000000000000' AS DECIMAL(38, 0))), (CAST('99000000000000000000000000000000000000' AS DECIMAL(38, 0)))) AS t (x)",
        wrong: "true",
        right: "error: the sum 198000000000000000000000000000000000000 goes beyond the range",
    },
    Fault {
        mend: "udfs/src/aggregate/exact",
        before: ["", ""],
        question: "SELECT (SELECT sum(x) FROM (VALUES (1e16), (1.0), (-1e16)) AS t (x)) = (SELECT sum(x) FROM (VALUES (1e16), (-1e16), (1.0)) AS t (x))",
        wrong: "false",
        right: "true",
    },
    // A sum beside a DISTINCT becomes a sum of sums, whose type is another, and which fails where
    // only a part of it is too large.
    Fault {
        mend: "src/session/distinct.rs",
        before: ["", ""],
        question: "SELECT arrow_typeof(s) FROM (SELECT count(DISTINCT x) AS n, sum(CAST(x AS DECIMAL(5, 2))) AS s FROM (VALUES (1), (2)) AS t (x))",
        wrong: "Decimal128(25, 2)",
        right: "Decimal128(15, 2)",
    },
    // Rows above an unnest are taken for as unique as those below it.
    Fault {
        mend: "src/session/unnest.rs",
        before: ["", ""],
        question: "SELECT count(*) FROM (SELECT DISTINCT k FROM (SELECT k, unnest(make_array(3, 1)) AS b FROM (SELECT k FROM (VALUES (2), (1), (2)) AS t (k) GROUP BY k)))",
        wrong: "4",
        right: "2",
    },
    Fault {
        mend: "src/session/unnest.rs",
        before: ["", ""],
        question: "SELECT count(*) FROM (SELECT k, count(*) FROM (SELECT k, unnest(make_array(3, 1)) AS b FROM (SELECT k FROM (VALUES (2), (1), (2)) AS t (k) GROUP BY k)) GROUP BY k, b)",
        wrong: "2",
        right: "4",
    },
    Fault {
        mend: "src/session/unnest.rs",
        before: ["", ""],
        question: "SELECT b FROM (SELECT k, unnest(make_array(3, 1)) AS b FROM (SELECT k FROM (VALUES (1), (1)) AS t (k) GROUP BY k)) ORDER BY k, b LIMIT 1",
        wrong: "3",
        right: "1",
    },
    Fault {
        mend: "udfs/src/aggregate/count.rs",
        before: ["", ""],
        question: "SELECT count(DISTINCT x, y) FROM (VALUES (1, 2), (1, 3), (1, 2), (NULL, 2)) AS t (x, y)",
        wrong: "error: ",
        right: "2",
    },
    Fault {
        mend: "src/session/interval_length.rs",
        before: ["", ""],
        question: "SELECT TIMESTAMP '2026-03-11 00:00:00' - TIMESTAMP '2026-01-01 00:00:00' > INTERVAL '30 days'",
        wrong: "false",
        right: "true",
    },
    Fault {
        mend: "src/session/interval_length.rs (DateDifference)",
        before: ["", ""],
        question: "SELECT DATE '2026-03-11' - DATE '2026-01-01' > INTERVAL '30 days'",
        wrong: "error: ",
        right: "true",
    },
    Fault {
        mend: "src/session/subqueries.rs",
        before: ["", ""],
        question: "SELECT CASE WHEN x IN (SELECT 1) THEN 'in' ELSE 'out' END FROM (VALUES (1)) AS t (x)",
        wrong: "error: ",
        right: "in",
    },
    // 2 is neither in {1, NULL} nor not in it.
    Fault {
        mend: "src/session/subqueries.rs",
        before: ["", ""],
        question: "SELECT count(*) FROM (VALUES (2)) AS t (x) WHERE x NOT IN (SELECT column1 FROM (VALUES (1), (NULL)) AS u) OR x > 5",
        wrong: "1",
        right: "0",
    },
    Fault {
        mend: "src/session/local_time.rs",
        before: [
            "CREATE VIEW t AS SELECT * FROM (VALUES (TIMESTAMP '2024-01-31 23:30:00'), (TIMESTAMP '2024-02-01 00:30:00')) AS t (x)",
            "CREATE VIEW t AS SELECT * FROM (VALUES (TIMESTAMP '2024-01-31 23:30:00'), (TIMESTAMP '2024-02-01 00:30:00')) AS t (x)",
        ],
        question: "SELECT count(*) FROM t WHERE x < TIMESTAMPTZ '2024-02-01 00:00:00'",
        wrong: "0",
        right: "1",
    },
    // 23:00 UTC, which is the next day in Warsaw.
    Fault {
        mend: "src/source, which shows instants in the session's zone",
        before: [
            "CREATE VIEW instants AS SELECT 2 AS id, arrow_cast('2026-01-31T23:00:00', 'Timestamp(ns, \"UTC\")') AS happened",
            "CREATE SOURCE instants FROM 'tests/fixtures/files/by_instant.csv' WITH (event_time = 'happened')",
        ],
        question: "SELECT CAST(happened AS DATE) || ' ' || extract(month FROM happened) || ' ' || CAST(date_trunc('month', happened) AS DATE) FROM instants WHERE id = 2",
        wrong: "2026-01-31 1 2026-01-01",
        right: "2026-02-01 2 2026-02-01",
    },
    Fault {
        mend: "src/session/local_literal.rs",
        before: ["", ""],
        question: "SELECT TIMESTAMPTZ '2026-03-29 02:30:00'",
        wrong: "error: ",
        right: "2026-03-29T03:30:00+02:00",
    },
    Fault {
        mend: "src/catalog/binder.rs, which plans late",
        before: [
            "CREATE VIEW base AS SELECT 1 AS x; CREATE VIEW above AS SELECT x FROM base; CREATE OR REPLACE VIEW base AS SELECT 2 AS x",
            "CREATE VIEW base AS SELECT 1 AS x; CREATE VIEW above AS SELECT x FROM base; CREATE OR REPLACE VIEW base AS SELECT 2 AS x",
        ],
        question: "SELECT x FROM above",
        wrong: "1",
        right: "2",
    },
    Fault {
        mend: "src/session/variables.rs",
        before: [
            "CREATE VIEW v AS SELECT 1 + $x AS x",
            "CREATE VIEW v AS SELECT 1 + $x AS x",
        ],
        question: "SELECT x FROM v",
        wrong: "error: ",
        right: "6",
    },
];

fn cells(batches: &[RecordBatch]) -> String {
    let format = FormatOptions::default().with_null("NULL");
    let mut cells = vec![];
    for batch in batches {
        for column in batch.columns() {
            let shown = ArrayFormatter::try_new(column.as_ref(), &format).expect("printable");
            cells.extend((0..batch.num_rows()).map(|row| shown.value(row).to_string()));
        }
    }
    cells.join(" ")
}

async fn plain(fault: &Fault) -> Result<String> {
    let mut config = SessionConfig::new();
    config.options_mut().execution.time_zone = Some("Europe/Warsaw".to_owned());
    let session = SessionContext::new_with_config(config);
    for sql in fault.before[0].split("; ").filter(|sql| !sql.is_empty()) {
        session.sql(sql).await?.collect().await?;
    }
    Ok(cells(&session.sql(fault.question).await?.collect().await?))
}

async fn ours(fault: &Fault) -> Result<String> {
    let mut variables = Variables::default();
    variables.assign("x=5")?;
    let setup = Setup {
        as_of: Some("2026-02-01".to_owned()),
        time_zone: Some("Europe/Warsaw".to_owned()),
        variables,
        ..Setup::default()
    };
    let now = "2026-02-15T12:00:00Z".parse().expect("an instant");
    let mut engine = Engine::new(setup, now)?;
    let script = Arc::new(Script::new(
        "test",
        format!("{};{}", fault.before[1], fault.question),
    ));
    let mut answer = String::new();
    for parsed in statement::parse(&script)? {
        if let Outcome::Rows(rows) = engine.execute(&parsed?).await? {
            answer = cells(&rows.try_collect::<Vec<_>>().await?);
        }
    }
    Ok(answer)
}

fn or_error(answer: Result<String>) -> String {
    answer.unwrap_or_else(|error: Error| format!("error: {}", error.message()))
}

#[tokio::test]
async fn faults_are_there_and_mended() {
    let mut surprises = vec![];
    for fault in &FAULTS {
        let answer = or_error(plain(fault).await);
        if !answer.starts_with(fault.wrong) {
            let good = answer.starts_with(fault.right);
            surprises.push(
                match good {
                    true => format!(
                        "DataFusion now answers rightly: the mend in {} can go",
                        fault.mend
                    ),
                    false => format!("DataFusion now says '{answer}', not '{}'", fault.wrong),
                } + "\n  "
                    + fault.question,
            );
        }
        let answer = or_error(ours(fault).await);
        if !answer.starts_with(fault.right) {
            surprises.push(format!(
                "{}\n  gives '{answer}', not '{}': see {}",
                fault.question, fault.right, fault.mend
            ));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
