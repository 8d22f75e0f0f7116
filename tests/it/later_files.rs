//! A new daily file is no input of dates that it cannot reach, whatever tells its times:
//! the rows of a CSV file, the footer of a Parquet file, the folder it lies in.

use std::path::Path;

use crate::command::run;
use crate::small_project::{json, nodes, write};

const SEGMENT: &str = "CREATE SEGMENT buyers WITH (key = 'customer_id') AS SELECT DISTINCT customer_id FROM orders;\n";

fn project(options: &str, first: (&str, &str)) -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    let source = format!("CREATE SOURCE orders FROM 'data' WITH ({options});\n{SEGMENT}");
    write(
        here.path(),
        "segql.toml",
        "[target.dev]\nstore = \"store\"\n",
    );
    write(here.path(), "sql/shop.sql", &source);
    write(here.path(), first.0, first.1);
    here
}

/// What a run for the first of January says of the only segment.
fn first_of_january(here: &Path, more: &[&str]) -> String {
    let arguments = ["run", "--as-of", "2025-01-01", "--format", "json"];
    let ran = run(here, &[&arguments, more].concat());
    match ran.out.is_empty() {
        true => ran.err,
        false => nodes(&ran).join("; "),
    }
}

const FIRST: (&str, &str) = (
    "data/01.csv",
    "order_id,customer_id,ordered_at\n1,10,2025-01-01 10:00:00\n2,11,2025-01-01 23:59:59\n",
);

const EVENT_TIME: &str = "event_time = 'ordered_at'";

#[test]
fn a_later_file_of_csv_is_no_input_of_earlier_dates() {
    let here = project(EVENT_TIME, FIRST);
    let here = here.path();
    assert_eq!(first_of_january(here, &[]), "buyers: success 2");
    let header = "order_id,customer_id,ordered_at\n";
    write(
        here,
        "data/02.csv",
        &format!("{header}3,12,2025-01-02 00:00:00\n"),
    );
    assert_eq!(first_of_january(here, &[]), "buyers: unchanged 2");
    // It grows during its day; another comes without a row.
    let two = "3,12,2025-01-02 00:00:00\n4,13,2025-01-02 09:00:00\n";
    write(here, "data/02.csv", &format!("{header}{two}"));
    write(here, "data/03.csv", header);
    assert_eq!(first_of_january(here, &[]), "buyers: unchanged 2");
    let record = json(&run(
        here,
        &[
            "-c",
            "SELECT count(*) AS n FROM members('buyers', '2025-01-01')",
            "--format",
            "json",
        ],
    ));
    assert_eq!(record[0]["n"], 2);
}

#[test]
fn a_later_file_with_a_row_of_that_day_is_one() {
    let here = project(EVENT_TIME, FIRST);
    let here = here.path();
    assert_eq!(first_of_january(here, &[]), "buyers: success 2");
    // The late row is the last of many.
    let later = (0..20_000).map(|row| format!("{row},12,2025-01-02 00:00:00\n"));
    let later: String = later.collect();
    let text = format!("order_id,customer_id,ordered_at\n{later}9,14,2025-01-01 12:00:00\n");
    write(here, "data/02.csv", &text);
    // A finished day does not say something else in silence.
    assert_eq!(first_of_january(here, &[]), "buyers: error -");
    assert_eq!(first_of_january(here, &["--restate"]), "buyers: success 3");
}

#[test]
fn rows_without_a_time_are_seen_at_every_date() {
    let here = project("event_time = 'ordered_at', null_time = 'show'", FIRST);
    let here = here.path();
    assert_eq!(first_of_january(here, &[]), "buyers: success 2");
    write(
        here,
        "data/02.csv",
        "order_id,customer_id,ordered_at\n3,12,2025-01-02 00:00:00\n4,13,\n",
    );
    assert_eq!(first_of_january(here, &["--restate"]), "buyers: success 3");
}

#[test]
fn what_arrives_later_is_no_input_of_earlier_dates() {
    let options = "event_time = 'ordered_at', known_at = 'loaded_at'";
    let header = "customer_id,ordered_at,loaded_at\n";
    let first = format!("{header}10,2025-01-01 10:00:00,2025-01-01 11:00:00\n");
    let here = project(options, ("data/01.csv", &first));
    let here = here.path();
    assert_eq!(first_of_january(here, &[]), "buyers: success 1");
    let late = format!("{header}11,2025-01-01 12:00:00,2025-01-03 01:00:00\n");
    write(here, "data/03.csv", &late);
    assert_eq!(first_of_january(here, &[]), "buyers: unchanged 1");
}

#[test]
fn folders_tell_the_days_of_their_files() {
    let here = project(
        "event_time = 'day'",
        ("data/day=2025-01-01/x.csv", "customer_id\n10\n"),
    );
    let here = here.path();
    assert_eq!(first_of_january(here, &[]), "buyers: success 1");
    write(here, "data/day=2025-01-02/x.csv", "customer_id\n11\n");
    assert_eq!(first_of_january(here, &[]), "buyers: unchanged 1");
    write(here, "data/day=2025-01-01/y.csv", "customer_id\n12\n");
    assert_eq!(first_of_january(here, &["--restate"]), "buyers: success 2");
}
