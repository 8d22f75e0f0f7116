//! What errors look like: the whole text, as a user reads it.

use std::sync::Arc;

use futures::TryStreamExt;
use segql::error::Script;
use segql::run::{Engine, Outcome, Setup};
use segql::statement;

/// Runs a script after a small world was defined; the text of its error.
async fn error_of(sql: &str) -> String {
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        ..Setup::default()
    };
    let mut engine = Engine::new(setup, chrono::Utc::now()).expect("an engine");
    let world = "
        CREATE VIEW orders AS SELECT 1 AS order_id, 7 AS customer_id, 10.5 AS amount;
        CREATE ENTITY customers FROM orders KEY customer_id;
        CREATE SEGMENT vip AS SELECT customer_id FROM orders;
        CREATE SEGMENTATION size LABELS (small, large) AS
          SELECT customer_id, 'small' AS label FROM orders;";
    for script in [Script::new("world.sql", world), Script::new("q.sql", sql)] {
        let script = Arc::new(script);
        let parsed = match statement::parse(&script) {
            Ok(parsed) => parsed,
            Err(error) => return error.to_string(),
        };
        for parsed in parsed {
            let result = match parsed {
                Ok(parsed) => engine.execute(&parsed).await,
                Err(error) => Err(error),
            };
            match result {
                Err(error) => return error.to_string(),
                Ok(Outcome::Rows(rows)) => {
                    if let Err(error) = rows.try_collect::<Vec<_>>().await {
                        return segql::error::Error::from(error).to_string();
                    }
                }
                Ok(_) => {}
            }
        }
    }
    panic!("no error: {sql}")
}

/// Every case with its text, as one document.
#[tokio::test(flavor = "multi_thread")]
async fn error_texts() {
    let cases = [
        "SELECT * FROM ordrs",
        "SELECT amuont FROM orders",
        "SELECT o.amuont\nFROM orders AS o",
        "SELECT day_since(DATE '2026-01-01')",
        "SELECT days_since('2026-01-01')",
        "SELECT days_since(5)",
        "SELECT segment_of(5, 5, 5, 'rf11')",
        "SELECT segment_of(7, 5)",
        "SELECT rfm_score(1, 2) OVER ()",
        "SELECT bucket(1.5, 'a', 10)",
        "SELECT customer_id, sum(amount) FROM orders",
        "SELEC 1",
        "SELECT 1 +",
        "SELECT 'abc",
        "SELECT 1 FROM orders WHERE (amount > 1",
        "SELECT * FROM \"size:medium\"",
        "SELECT * FROM \"vip:top\"",
        "SELECT * FROM members('vpi')",
        "SELECT * FROM members('vip', DATE '2026-01-31', 3)",
        "SELECT * FROM segql.segmnts",
        "SELECT * FROM 'no/such/file.csv'",
        "SELECT $days",
        "CREATE SEGMENT vip AS SELECT 1 AS customer_id",
        "CREATE SEGMENT a:b AS SELECT 1",
        "CREATE SEGMENT \"a:b\" AS SELECT 1 AS customer_id",
        "CREATE SEGMENT s WITH (tag = 'x') AS SELECT 1 AS customer_id",
        "CREATE SOURCE s FROM 'x.csv' WITH (delimeter = ';')",
        "CREATE SOURCE s FROM 'x.csv'; SELECT * FROM s",
        "CREATE SOURCE s FROM 'tests/*.nothing'; SELECT * FROM s",
        "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a",
        "DROP VIEW orders",
        "DROP SEGMENT nothing",
        "DESCRIBE SEGMENT vipp",
        "MATERIALIZE SEGMENT orders",
        "CREATE SEGMENT s AS SELECT customer_id FROM orders UNION ALL SELECT 7; MATERIALIZE s",
        "CREATE SEGMENT s AS SELECT NULL::bigint AS customer_id FROM orders; MATERIALIZE s",
        "CREATE SEGMENT s AS SELECT order_id, amount FROM orders; MATERIALIZE s",
        "CREATE SEGMENT s WITH (key = 'amount') AS SELECT amount FROM orders; MATERIALIZE s",
        "CREATE FROZEN SEGMENT s AS OF '2025-12-31' AS SELECT 1 AS x",
        "CREATE FROZEN VIEW v AS SELECT 1 AS x",
        "CREATE FROZEN VIEW v AS OF 'yesterday' AS SELECT 1 AS x",
        "CREATE FROZEN VIEW v AS OF '2025-12-31' AS SELECT 1 AS x; CREATE SEGMENT s WITH (key = 'x') AS SELECT x FROM v;\nMATERIALIZE s; CREATE OR REPLACE FROZEN VIEW v AS OF '2025-12-31' AS SELECT 2 AS x; SELECT * FROM v",
        "DIFF SEGMENT vpi AS SELECT 1 AS customer_id",
        "DIFF SEGMENT vip",
        "DIFF SEGMENT vip AS SELECT 7 AS customer_id UNION ALL SELECT 7",
        "SET segql.as_off = '2026-01-01'",
        "SET segql.as_of = '2026-02-30'",
        "SET segql.time_zone = 'Europe/Warsav'",
        "SET datafusion.runtime.memory_limit = '1G'",
        "SELECT 1; SELECT 2 3 4",
        "SELECT 1/0 FROM orders",
        "SELECT CAST('x' AS BIGINT)",
        "SUMMARIZE orders",
        "SELECT order_id, amount FROM orders ORDER BY ALL",
        "SELECT order_id AS o FROM orders ORDER BY ordr_id",
        "SELECT as_of() - INTERVAL '1 day' * order_id FROM orders",
        "PIVOT orders ON amount",
        "SELECT purchase_rhythm(as_of()).cv FROM orders",
        "SELECT * FROM profile(orders)",
        "SELECT * FROM profile('ordrs')",
        "SELECT * FROM next_best('product', 0)",
        "SELECT * FROM next_best('product', 1)",
        "SELECT * FROM segment_metrics('vip', '2026-01-01', '2026-12-31')",
        "SELECT * FROM segment_metrics('vip', '2026-01-01', '2026-01-31', 'vist')",
    ];
    let mut document = String::new();
    for case in cases {
        document.push_str(&format!("### {case}\n{}\n\n", error_of(case).await));
    }
    let here = std::env::current_dir().expect("a folder");
    let document = document.replace(&here.display().to_string(), "<here>");
    insta::assert_snapshot!("error_texts", document);
}
