//! `segql check` computes a segment once, whatever it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use segql::error::Script;
use segql::run::{CheckResult, Engine, Setup};
use segql::statement;

#[test]
fn a_segment_is_computed_once() {
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        ..Setup::default()
    };
    let now = DateTime::from_timestamp(1_780_000_000, 0).expect("an instant");
    let mut engine = Engine::new(setup, now).expect("an engine");
    // Gives its argument back and counts how often it is asked.
    let asked = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&asked);
    let same = move |args: &[ColumnarValue]| {
        let rows = match &args[0] {
            ColumnarValue::Array(array) => array.len() as u64,
            ColumnarValue::Scalar(_) => 1,
        };
        counter.fetch_add(rows, Ordering::Relaxed);
        Ok(args[0].clone())
    };
    let int = DataType::Int64;
    let function = create_udf(
        "same",
        vec![int.clone()],
        int,
        Volatility::Stable,
        Arc::new(same),
    );
    engine.session().register_udf(function);
    let sql = "CREATE VIEW people AS SELECT * FROM (VALUES (1), (2), (3)) AS t (id);
         CREATE ENTITY person FROM people KEY id;
         CREATE VIEW rows AS SELECT * FROM (VALUES (1, 'a'), (2, 'a'), (8, 'a'), (8, 'b'), (9, 'b')) AS t (id, label);
         CREATE SEGMENTATION s WITH (multiple = true) AS SELECT same(id) AS id, label FROM rows;";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let script = Arc::new(Script::new("test", sql));
    for parsed in statement::parse(&script).expect("splits") {
        let done = runtime.block_on(engine.execute(&parsed.expect("parses")));
        done.map(|_| ()).expect("defines");
    }
    let reports = runtime.block_on(engine.check()).expect("checks");
    let told = reports.iter().find_map(|it| match &it.result {
        CheckResult::Warned(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(told, Some("2 of its keys are not listed by entity person"));
    assert_eq!(asked.load(Ordering::Relaxed), 5, "one call for each row");
}
