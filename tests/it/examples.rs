//! Every example in the functions' reference gives what it says.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use segql::error::Script;
use segql::run::{Engine, Outcome, Setup};
use segql::statement;

/// The examples by function name.
fn examples() -> Vec<(String, String)> {
    let mut all = vec![];
    for function in segql_udfs::all_scalar() {
        let docs = function
            .documentation()
            .and_then(|docs| docs.sql_example.clone());
        all.push((function.name().to_owned(), docs.expect("an example")));
    }
    for function in segql_udfs::all_aggregate() {
        let docs = function
            .documentation()
            .and_then(|docs| docs.sql_example.clone());
        all.push((function.name().to_owned(), docs.expect("an example")));
    }
    for function in segql_udfs::all_window() {
        let docs = function
            .documentation()
            .and_then(|docs| docs.sql_example.clone());
        all.push((function.name().to_owned(), docs.expect("an example")));
    }
    all
}

/// `> SELECT …;` and the table below it.
fn parts(example: &str) -> Vec<(String, String)> {
    let body = example
        .trim()
        .trim_start_matches("```sql")
        .trim_end_matches("```");
    body.split("\n> ")
        .map(|part| part.trim_start_matches("> ").trim())
        .filter(|part| !part.is_empty())
        .map(|part| {
            let table = part.find("\n+").map_or(part.len(), |at| at + 1);
            (
                part[..table].trim().to_owned(),
                part[table..].trim().to_owned(),
            )
        })
        .collect()
}

async fn table(engine: &mut Engine, sql: &str) -> String {
    let script = Arc::new(Script::new("example", sql));
    let mut shown = String::new();
    for parsed in statement::parse(&script).expect("splits") {
        let outcome = engine.execute(&parsed.expect("parses")).await;
        match outcome.unwrap_or_else(|error| panic!("{error}")) {
            Outcome::Rows(rows) => {
                let batches: Vec<RecordBatch> = rows.try_collect().await.expect("runs");
                shown = pretty_format_batches(&batches).expect("prints").to_string();
            }
            _ => shown.clear(),
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_reference_is_true() {
    let mut compared = 0;
    for (name, example) in examples() {
        let setup = Setup {
            as_of: Some("2026-01-31".to_owned()),
            ..Setup::default()
        };
        let mut engine = Engine::new(setup, chrono::Utc::now()).expect("an engine");
        for (sql, expected) in parts(&example) {
            assert_eq!(table(&mut engine, &sql).await, expected, "{name}: {sql}");
            compared += 1;
        }
    }
    assert!(compared >= 13, "only {compared} examples were compared");
}
