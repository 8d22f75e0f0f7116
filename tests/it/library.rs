//! Every object of every library can be planned and run where a project has all that
//! the contracts ask for, and nobody in it.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use segql::catalog::{Catalog, libraries};
use segql::error::{Result, Script};
use segql::run::{Engine, Outcome, Setup};
use segql::session::Variables;
use segql::statement::{self, Asked, Body, Values};

async fn run(engine: &mut Engine, sql: &str) -> Result<Vec<RecordBatch>> {
    let script = Arc::new(Script::new("test", sql));
    let mut rows = vec![];
    for parsed in statement::parse(&script)? {
        match engine.execute(&parsed?).await? {
            Outcome::Rows(found) => rows = found.try_collect().await?,
            _ => rows.clear(),
        }
    }
    Ok(rows)
}

/// How many rows something has; a segment is materialised as well.
async fn count(engine: &mut Engine, name: &str, is_segment: bool) -> Result<i64> {
    let rows = run(engine, &format!("SELECT count(*) FROM {name}")).await?;
    if is_segment {
        run(engine, &format!("MATERIALIZE SEGMENT {name}")).await?;
    }
    let count = rows[0].column(0).as_primitive::<Int64Type>();
    Ok(count.value(0))
}

/// A view with the columns of a contract and no rows.
fn empty_view(name: &str, contract: &[Asked]) -> String {
    let columns = contract.iter().map(|asked| {
        let word = match asked.values {
            Values::Id => "BIGINT",
            Values::Text => "VARCHAR",
            Values::Number | Values::Money => "DECIMAL(12, 2)",
            Values::Whole => "BIGINT",
            Values::Flag => "BOOLEAN",
            Values::Time => "TIMESTAMP",
        };
        format!("CAST(NULL AS {word}) AS {}", asked.name)
    });
    let columns: Vec<String> = columns.collect();
    format!(
        "CREATE VIEW {name} AS SELECT {} WHERE false",
        columns.join(", ")
    )
}

async fn empty_shop() -> Engine {
    let mut contracts = Catalog::default();
    contracts.include("base").expect("parses");
    let mut engine = Engine::new(Setup::default(), chrono::Utc::now()).expect("an engine");
    for definition in contracts.all() {
        let Body::Contract(asked) = &definition.create.body else {
            panic!("{} is no contract", definition.name);
        };
        let name = definition.name.strip_prefix("base.").expect("its schema");
        let view = empty_view(name, asked);
        run(&mut engine, &view).await.expect("defines");
    }
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_every_library_runs_over_an_empty_shop() {
    let mut engine = empty_shop().await;
    let (mut ran, mut failed) = (0, vec![]);
    for library in libraries().expect("manifests parse") {
        let include = format!("INCLUDE LIBRARY {}", library.name);
        run(&mut engine, &include).await.expect("includes");
        let catalog = library.catalog().expect("parses");
        for definition in library.own(&catalog) {
            let name = &definition.name;
            let is_segment = definition.kind().has_members();
            // Cuts are one row whoever there is.
            let expected = i64::from(name == "rfm.cuts");
            match count(&mut engine, name, is_segment).await {
                Ok(found) if found == expected => ran += 1,
                Ok(found) => failed.push(format!("{name}: {found} rows")),
                Err(error) => failed.push(format!("{name}: {error}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(ran > 80, "only {ran} objects ran");
}

/// Twenty buyers of whom each spent a whole number of its own, in an engine with these
/// variables.
async fn twenty_buyers(assignments: &[&str]) -> Result<Engine> {
    let mut variables = Variables::default();
    for assignment in assignments {
        variables.assign(assignment)?;
    }
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        variables,
        ..Setup::default()
    };
    let mut engine = Engine::new(setup, chrono::Utc::now())?;
    let orders = "CREATE VIEW orders AS SELECT value AS customer_id, value AS amount, \
                  DATE '2025-12-01' AS ordered_at FROM generate_series(1, 20)";
    run(&mut engine, orders).await?;
    run(&mut engine, "INCLUDE LIBRARY value, lifecycle").await?;
    Ok(engine)
}

async fn size(engine: &mut Engine, name: &str) -> i64 {
    count(engine, name, false).await.expect("runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_a_library_have_defaults_and_can_be_set() {
    let new = "\"lifecycle.stages:new\"";
    let mut plain = twenty_buyers(&[]).await.expect("an engine");
    assert_eq!(size(&mut plain, "value.whales").await, 1);
    // 61 days ago.
    assert_eq!(size(&mut plain, new).await, 0);
    let given = ["value_whale_share=0.15", "lifecycle_new_days=61"];
    let mut set = twenty_buyers(&given).await.expect("an engine");
    assert_eq!(size(&mut set, "value.whales").await, 3);
    assert_eq!(size(&mut set, new).await, 20);
    let wrong = twenty_buyers(&["value_whale_share=many"]).await;
    let error = wrong.err().expect("a text is no share").to_string();
    assert!(
        error.contains("'value_whale_share' of the library is a number"),
        "{error}"
    );
}
