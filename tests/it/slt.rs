//! Runs `tests/slt/**/*.slt`: SQL with the results written beside it.
//!
//! Every file gets an engine of its own, as of 2026-01-31 in UTC unless it says
//! otherwise, with a store that ends with it. Paths are those of the repository.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use segql::error::{Error, Script};
use segql::run::{Engine, Outcome, Setup};
use segql::statement;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

struct Database(Engine);

impl Database {
    fn new() -> Self {
        let setup = Setup {
            as_of: Some("2026-01-31".to_owned()),
            ..Setup::default()
        };
        let now = "2026-02-15T12:00:00Z".parse().expect("an instant");
        Self(Engine::new(setup, now).expect("an engine"))
    }
}

#[async_trait::async_trait]
impl AsyncDB for Database {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        let script = Arc::new(Script::new("test", sql));
        let mut output = DBOutput::StatementComplete(0);
        for parsed in statement::parse(&script)? {
            match self.0.execute(&parsed?).await? {
                Outcome::Rows(rows) => {
                    let schema = rows.schema();
                    let batches: Vec<RecordBatch> = rows.try_collect().await?;
                    output = DBOutput::Rows {
                        types: schema
                            .fields()
                            .iter()
                            .map(|it| kind(it.data_type()))
                            .collect(),
                        rows: batches.iter().flat_map(texts).collect(),
                    };
                }
                Outcome::Plan(plan) => {
                    output = DBOutput::Rows {
                        types: vec![DefaultColumnType::Text],
                        rows: plan.lines().map(|line| vec![line.to_owned()]).collect(),
                    };
                }
                Outcome::Done(_) => {}
            }
        }
        Ok(output)
    }

    fn engine_name(&self) -> &str {
        "segql"
    }

    async fn shutdown(&mut self) {}
}

fn kind(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        other if other.is_integer() => DefaultColumnType::Integer,
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            DefaultColumnType::FloatingPoint
        }
        _ => DefaultColumnType::Text,
    }
}

/// NULL as `NULL`, the empty text as `(empty)`.
fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let format = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &format).expect("a printable type"))
        .collect();
    let cell = |text: String| {
        if text.is_empty() {
            "(empty)".to_owned()
        } else {
            text
        }
    };
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| cell(column.value(row).to_string()))
                .collect()
        })
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "slt") {
            found.push(path);
        }
    }
}

/// `SLT=days_since cargo test slt` runs only files whose path contains it.
#[test]
fn every_file_of_sql_gives_what_it_says() {
    run_all(Path::new("tests/slt"));
}

/// The same for results that others computed, on data that is not ours to ship.
#[test]
fn published_results_are_reached() {
    if !Path::new("../shared/data/README.md").exists() {
        say("SKIPPED: ../shared/data is absent, nothing was compared with published results");
        return;
    }
    run_all(Path::new("tests/published"));
}

/// Past the capture of output: what is skipped is seen even when all is well.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn run_all(folder: &Path) {
    let mut all = vec![];
    files(folder, &mut all);
    all.sort();
    let wanted = std::env::var("SLT").unwrap_or_default();
    all.retain(|path| path.to_string_lossy().contains(&wanted));
    if all.is_empty() {
        assert!(!wanted.is_empty(), "no tests below {}", folder.display());
        say(&format!(
            "SKIPPED: no file below {} matches '{wanted}'",
            folder.display()
        ));
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()
        .expect("a runtime");
    let failed: Vec<String> = all
        .iter()
        .filter_map(|path| {
            // What an earlier run wrote into the folder of this file's name.
            let stem = path.file_stem().unwrap_or_default();
            let _ = std::fs::remove_dir_all(Path::new("/tmp/segql-slt").join(stem));
            let mut runner = Runner::new(|| async { Ok(Database::new()) });
            let result = runtime.block_on(runner.run_file_async(path));
            result
                .err()
                .map(|error| format!("{}\n{error}", path.display()))
        })
        .collect();
    say(&format!(
        "{} files of SQL, {} failed",
        all.len(),
        failed.len()
    ));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
