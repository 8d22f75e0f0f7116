//! Every object of every library can be planned and run where a project has all that
//! the contracts ask for, and nobody in it.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use segql::catalog::{Catalog, Definition, libraries};
use segql::error::{Result, Script};
use segql::run::{Engine, Outcome, Setup};
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
        let own = |it: &&Arc<Definition>| it.library.as_ref() == Some(&library.name);
        for definition in catalog.all().filter(own) {
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
