//! A day that is not over, and then is: what was provisional becomes finished.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use segql::error::Script;
use segql::run::{Engine, RunRequest, Setup};
use segql::statement;
use segql::store::NodeStatus;

fn at(time: &str) -> DateTime<Utc> {
    time.parse().expect("an instant")
}

async fn define(engine: &mut Engine, sql: &str) {
    let script = Arc::new(Script::new("test", sql));
    for parsed in statement::parse(&script).expect("splits") {
        let done = engine.execute(&parsed.expect("parses")).await;
        done.map(|_| ()).expect("defines");
    }
}

/// An engine half an hour before the end of a day in Warsaw.
fn engine() -> Engine {
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        time_zone: Some("Europe/Warsaw".to_owned()),
        ..Setup::default()
    };
    Engine::new(setup, at("2026-01-31T22:30:00Z")).expect("an engine")
}

/// The status of the only node, the reason of its failure, and whether what is
/// kept is provisional.
async fn run(engine: &Engine) -> (NodeStatus, String, bool) {
    let report = engine.run(&RunRequest::default(), &mut |_| {}).await;
    let report = report.expect("runs");
    let date = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a date");
    let kept = engine.store().snapshot("s", date).await.expect("reads");
    let error = report.errors.values().next().map(ToString::to_string);
    (
        report.record.nodes[0].status,
        error.unwrap_or_default(),
        kept.expect("a snapshot").provisional,
    )
}

#[test]
fn what_was_provisional_becomes_finished() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut engine = engine();
    let sql = "CREATE SEGMENT s WITH (key = 'id') AS SELECT 1 AS id";
    runtime.block_on(define(&mut engine, sql));
    assert_eq!(
        runtime.block_on(run(&engine)),
        (NodeStatus::Success, String::new(), true)
    );
    // Half an hour behind it nothing has to be computed, but it counts for good.
    engine.tick(at("2026-01-31T23:30:00Z"));
    assert_eq!(
        runtime.block_on(run(&engine)),
        (NodeStatus::Unchanged, String::new(), false)
    );
    let sql = "CREATE OR REPLACE SEGMENT s WITH (key = 'id') AS SELECT 2 AS id";
    runtime.block_on(define(&mut engine, sql));
    let (status, error, provisional) = runtime.block_on(run(&engine));
    assert_eq!((status, provisional), (NodeStatus::Error, false));
    assert!(error.contains("is finished and would change"), "{error}");
}

/// Another run may put its own in the place of what was read.
#[test]
fn only_what_is_still_there_becomes_finished() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut engine = engine();
    let date = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a date");
    let mut made = vec![];
    for id in [1, 2] {
        let sql = format!("CREATE OR REPLACE SEGMENT s WITH (key = 'id') AS SELECT {id} AS id");
        runtime.block_on(define(&mut engine, &sql));
        runtime.block_on(run(&engine));
        let kept = runtime.block_on(engine.store().snapshot("s", date));
        made.push(kept.expect("reads").expect("a snapshot"));
    }
    let finish = |at: usize| runtime.block_on(engine.store().finish_day(&made[at]));
    assert_eq!(finish(0).expect("looks"), None);
    let kept = runtime.block_on(engine.store().snapshot("s", date));
    assert_eq!(kept.expect("reads").as_ref(), Some(&made[1]));
    let finished = finish(1).expect("writes").expect("still there");
    assert!(!finished.provisional && finished.id == made[1].id);
}
