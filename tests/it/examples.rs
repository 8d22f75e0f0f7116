//! Every example in the functions' reference gives what it says, and the shop's
//! nightly job does.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use segql::error::Script;
use segql::run::{Engine, Outcome, Setup};
use segql::statement;

use crate::command::run;

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
    assert!(compared >= 21, "only {compared} examples were compared");
}

/// Of functions that give tables, over the shop with two months of snapshots.
#[test]
fn every_example_of_a_table_function_has_rows() {
    let here = tempfile::tempdir().expect("a folder");
    let made = run(here.path(), &["init", "shop", "--customers", "300"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let shop = here.path().join("shop");
    for date in ["2025-11-30", "2025-12-31"] {
        let ran = run(&shop, &["run", "--as-of", date, "--quiet"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    for function in segql::catalog::TABLE_FUNCTIONS {
        let query = ["--as-of", "2025-12-31", "--format", "csv", "-c"];
        let ran = run(&shop, &[&query[..], &[function.example]].concat());
        assert_eq!(ran.code, 0, "{}: {}", function.name, ran.err);
        let rows = ran.out.lines().count();
        assert!(rows > 1, "{}: {}", function.name, ran.out);
        assert!(function.example.contains(function.name));
        let page = run(&shop, &["functions", function.name]);
        assert!(page.out.contains(function.call), "{}", page.out);
    }
}

#[test]
fn a_function_and_a_library_of_one_name_are_both_told_of() {
    let here = tempfile::tempdir().expect("a folder");
    let page = run(here.path(), &["functions", "affinity"]);
    assert_eq!(page.code, 0, "{}", page.err);
    for text in ["affinity(value, weight)", "INCLUDE LIBRARY affinity"] {
        assert!(page.out.contains(text), "{}", page.out);
    }
}

/// The shop's nightly job; it wants bash and flock.
#[cfg(target_os = "linux")]
mod nightly {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use crate::command::{Ran, run};

    /// The shop with its nightly job, small, as someone would set it up.
    fn shop() -> (tempfile::TempDir, PathBuf) {
        let here = tempfile::tempdir().expect("a folder");
        let made = run(here.path(), &["init", "shop", "--customers", "100"]);
        assert_eq!(made.code, 0, "{}", made.err);
        let shop = here.path().join("shop");
        let script = std::fs::read("examples/shop/nightly.sh").expect("the script");
        let init = std::fs::read(shop.join("nightly.sh")).expect("its copy");
        assert_eq!(init, script, "segql init writes it too");
        (here, shop)
    }

    /// Starts the nightly job as cron does: nothing in the environment, another folder.
    fn nightly(shop: &Path, arguments: &[&str]) -> Ran {
        let mut job = Command::new("/bin/bash");
        let job = job.env_clear().env("SEGQL", env!("CARGO_BIN_EXE_segql"));
        let ran: Ran = job
            .current_dir("/")
            .arg(shop.join("nightly.sh"))
            .args(arguments)
            .output()
            .expect("starts")
            .into();
        assert_eq!(ran.out, "", "all it says goes to standard error");
        ran
    }

    /// Is there a snapshot of a segment of the shop?
    fn is_kept(shop: &Path, segment: &str, day: &str) -> bool {
        let file = format!("store/{segment}/as_of={day}/members.parquet");
        shop.join(file).is_file()
    }

    #[test]
    fn the_nightly_job_keeps_yesterday_once() {
        let (_here, shop) = shop();
        let first = nightly(&shop, &[]);
        assert_eq!(first.code, 0, "{}", first.err);
        let done = first.err.trim_end().rsplit(' ').next().expect("a day");
        assert!(is_kept(&shop, "whales", done), "{}", first.err);
        // The same day again: nothing is left to do.
        let again = nightly(&shop, &[done]);
        assert_eq!(again.code, 0, "{}", again.err);
        assert!(again.err.contains(": 0 written, "), "{}", again.err);
        // A day that was missed.
        let missed = nightly(&shop, &["2025-12-31"]);
        assert_eq!(missed.code, 0, "{}", missed.err);
        assert!(is_kept(&shop, "whales", "2025-12-31"));
        let mistyped = nightly(&shop, &["2025-12-32"]);
        assert_eq!(mistyped.code, 2, "{}", mistyped.err);
        assert!(mistyped.err.contains("'2025-12-32'"), "{}", mistyped.err);
    }

    #[test]
    fn the_nightly_job_stops_at_a_check_that_falls_short() {
        let (_here, shop) = shop();
        let customers = shop.join("data/customers.csv");
        let sound = std::fs::read_to_string(&customers).expect("there");
        // Countries are two capital letters.
        let wrong = "9999,Ewa,Test,ewa@example.org,,Opole,pl,b2c,social,1985,2025-01-01T10:00:00,false,,,,,\n";
        std::fs::write(&customers, format!("{sound}{wrong}")).expect("writes");
        let stopped = nightly(&shop, &["2025-12-31"]);
        assert_eq!(stopped.code, 3, "{}", stopped.err);
        assert!(
            stopped.err.contains("countries_are_codes,check,violated,1"),
            "{}",
            stopped.err
        );
        assert!(stopped.err.trim_end().ends_with("ended with 3"));
        assert!(!shop.join("store").exists(), "nothing is kept");
        std::fs::write(&customers, sound).expect("writes");
        assert_eq!(nightly(&shop, &["2025-12-31"]).code, 0);
    }

    #[test]
    fn the_nightly_job_again_does_what_is_missing() {
        let (_here, shop) = shop();
        // A file where the folder of a segment belongs.
        let taken = shop.join("store/whales");
        std::fs::create_dir_all(shop.join("store")).expect("makes folders");
        std::fs::write(&taken, "in the way").expect("writes");
        let failed = nightly(&shop, &["2025-12-31"]);
        assert_eq!(failed.code, 1, "{}", failed.err);
        assert!(failed.err.contains("error: whales: "), "{}", failed.err);
        assert!(
            is_kept(&shop, "gardeners", "2025-12-31"),
            "the others are done"
        );
        std::fs::remove_file(&taken).expect("there");
        let healed = nightly(&shop, &["2025-12-31"]);
        assert_eq!(healed.code, 0, "{}", healed.err);
        assert!(is_kept(&shop, "whales", "2025-12-31"));
        assert!(
            healed.err.contains("gardeners,segment,unchanged,"),
            "{}",
            healed.err
        );
    }

    #[test]
    fn the_nightly_job_is_never_at_work_twice() {
        let (_here, shop) = shop();
        let lock = std::fs::File::create(shop.join(".nightly.lock")).expect("a lock");
        lock.lock().expect("nobody else has it");
        let second = nightly(&shop, &[]);
        assert_eq!(second.code, 75, "{}", second.err);
        assert!(second.err.contains("still at work"), "{}", second.err);
        assert!(!shop.join("store").exists());
        drop(lock);
        assert_eq!(nightly(&shop, &["2025-12-31"]).code, 0);
    }
}
