//! A clock that jumps back between runs.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use segql::error::Script;
use segql::run::{Engine, RunRequest, Setup};
use segql::statement;
use segql::store::NodeStatus;

/// An engine at an instant, over a store that stays.
async fn engine(store: &Path, as_of: &str, now: &str, ids: &str) -> Engine {
    let setup = Setup {
        store: Some(store.to_owned().into()),
        as_of: Some(as_of.to_owned()),
        ..Setup::default()
    };
    let now: DateTime<Utc> = now.parse().expect("an instant");
    let mut engine = Engine::new(setup, now).expect("an engine");
    let sql =
        format!("CREATE SEGMENT s WITH (key = 'id') AS SELECT id FROM (VALUES {ids}) AS t (id)");
    let script = Arc::new(Script::new("test", sql));
    for parsed in statement::parse(&script).expect("splits") {
        let done = engine.execute(&parsed.expect("parses")).await;
        done.map(|_| ()).expect("defines");
    }
    engine
}

/// How a run ended, what is kept of the day afterwards, and that the store is whole.
async fn run(engine: &Engine) -> (NodeStatus, Option<(u64, bool)>) {
    let report = engine.run(&RunRequest::default(), &mut |_| {}).await;
    let report = report.expect("runs");
    let date = engine.moment().expect("a moment").date();
    let kept = engine.store().snapshot("s", date).await.expect("reads");
    let check = engine.store().check().await.expect("checks");
    assert_eq!(check.findings, []);
    (
        report.record.nodes[0].status,
        kept.map(|it| (it.rows, it.provisional)),
    )
}

#[test]
fn a_clock_that_jumps_back_takes_nothing_away() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let here = tempfile::tempdir().expect("a folder");
    let store = here.path().join("store");
    runtime.block_on(async {
        let (late, early) = ("2026-02-01T08:00:00Z", "2026-01-31T08:00:00Z");
        let over = engine(&store, "2026-01-31", late, "(1), (2)").await;
        assert_eq!(run(&over).await, (NodeStatus::Success, Some((2, false))));
        // By this clock the day is not over; it was said to be, and stays as it was said.
        let back = engine(&store, "2026-01-31", early, "(1), (2)").await;
        assert_eq!(run(&back).await, (NodeStatus::Unchanged, Some((2, false))));
        let other = engine(&store, "2026-01-31", early, "(1), (2), (3)").await;
        assert_eq!(run(&other).await, (NodeStatus::Error, Some((2, false))));
        // `today` is a day before: a snapshot of its own, and not yet finished.
        let today = engine(&store, "today", "2026-01-30T08:00:00Z", "(1)").await;
        assert_eq!(run(&today).await, (NodeStatus::Success, Some((1, true))));
        // And forth again: the day between is finished, the other as it was.
        let forth = engine(&store, "2026-01-30", late, "(1)").await;
        assert_eq!(run(&forth).await, (NodeStatus::Unchanged, Some((1, false))));
        let all = forth.store().snapshots().await.expect("reads");
        let days: Vec<NaiveDate> = all.iter().map(|it| it.as_of).collect();
        let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).expect("a date");
        assert_eq!(days, [day(30), day(31)]);
        assert_eq!(forth.store().runs().await.expect("reads").len(), 5);
    });
}

/// What is left over is swept by its age, which a clock that jumps makes negative.
#[test]
fn by_a_clock_that_jumped_back_nothing_is_too_old() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let here = tempfile::tempdir().expect("a folder");
    let store = here.path().join("store");
    runtime.block_on(async {
        let engine = engine(&store, "2026-01-31", "2026-02-01T08:00:00Z", "(1)").await;
        run(&engine).await;
        let staged = store.join("_segql/staged/1-1.parquet");
        std::fs::create_dir_all(staged.parent().expect("a folder")).expect("made");
        std::fs::write(&staged, "another's work").expect("writes");
        engine
            .store()
            .sweep("1990-01-01T00:00:00Z".parse().expect("an instant"))
            .await;
        assert!(staged.exists());
    });
}
