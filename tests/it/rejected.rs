//! What a run says of the rows that a source leaves out.

use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;
use segql::error::Script;
use segql::run::{Engine, RunReport, RunRequest, Setup};
use segql::statement;
use segql::store::NodeStatus;

/// Runs a segment over a source of three rows, one of them no number, and removes
/// the file as soon as the segment is done.
fn run(folder: &Path, segment: &str) -> (Engine, RunReport) {
    let file = folder.join("people.csv");
    std::fs::write(&file, "id,age\n1,30\n2,old\n3,40\n").expect("writes");
    let sql = format!(
        "CREATE SOURCE people FROM '{}' WITH (columns = 'age BIGINT', on_bad_row = 'reject');
         CREATE ENTITY person FROM people KEY id;
         CREATE SEGMENT s AS {segment};",
        file.display()
    );
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        ..Setup::default()
    };
    let now = DateTime::from_timestamp(1_780_000_000, 0).expect("an instant");
    let mut engine = Engine::new(setup, now).expect("an engine");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let script = Arc::new(Script::new("test", sql));
    for parsed in statement::parse(&script).expect("splits") {
        let done = runtime.block_on(engine.execute(&parsed.expect("parses")));
        done.map(|_| ()).expect("defines");
    }
    let mut remove = |_: &_| std::fs::remove_file(&file).expect("there");
    let ran = runtime.block_on(engine.run(&RunRequest::default(), &mut remove));
    let report = ran.expect("runs");
    assert_eq!(report.record.nodes[0].status, NodeStatus::Success);
    let runs = runtime.block_on(engine.store().runs()).expect("reads");
    assert_eq!(runs.len(), 1, "the run is recorded");
    (engine, report)
}

#[test]
fn what_was_read_is_not_read_again_to_be_counted() {
    let here = tempfile::tempdir().expect("a folder");
    let (_, report) = run(here.path(), "SELECT id FROM people");
    assert_eq!(report.record.nodes[0].rows, Some(2));
    assert_eq!(report.rejected.get("people"), Some(&1));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn what_cannot_be_counted_is_a_warning() {
    let here = tempfile::tempdir().expect("a folder");
    let (_, report) = run(here.path(), "SELECT 1 AS id");
    assert!(report.rejected.is_empty());
    let [warning] = &report.warnings[..] else {
        panic!("{:?}", report.warnings);
    };
    assert!(
        warning.contains("source people") && warning.contains("people.csv"),
        "{warning}"
    );
}
