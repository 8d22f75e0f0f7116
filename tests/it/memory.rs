//! `--memory-limit`: operators stay within it, spill where they can, and else end with
//! an error that says who asked. The operators are those of the README's table. What a
//! process holds is read as Linux tells it.

use std::path::Path;
use std::sync::OnceLock;

use crate::command::{Ran, segql};
use crate::peak::measured;

/// What a limit may be exceeded by: a fifth, and what the process needs itself.
fn most(limit: usize) -> usize {
    limit / 5 * 6 + (200 << 20)
}

/// Rows of 120 bytes; every customer has three.
const ROWS: u64 = 600_000;

fn data() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let query = format!(
            "COPY (SELECT value AS id, value * 7919 % {third} AS customer,
               repeat(md5(CAST(value AS VARCHAR)), 3) AS note, value % 1000 AS amount
             FROM generate_series(0, {ROWS} - 1)) TO 'rows.parquet'",
            third = ROWS / 3
        );
        let made = segql(folder.path()).args(["-c", &query]).output();
        assert!(made.expect("starts").status.success());
        folder
    });
    folder.path()
}

/// Runs a query under the limit; gives also the most memory it was seen to hold.
fn limited(limit: usize, query: &str) -> (Ran, usize) {
    let limit = limit.to_string();
    let options = ["--memory-limit", &limit, "--format", "csv", "-c", query];
    measured(data(), &options)
}

fn finishes(limit: usize, query: &str, expected: &str) {
    let (ran, held) = limited(limit, query);
    assert_eq!(ran.code, 0, "{query}: {}", ran.err);
    assert_eq!(ran.out.lines().nth(1), Some(expected), "{query}");
    assert!(held <= most(limit), "{query}: {} MiB", held >> 20);
}

#[test]
fn what_spills_finishes_with_the_same_result() {
    // Groups of long keys, rows told apart, and a sort.
    finishes(
        100 << 20,
        "SELECT count(*), sum(n), max(n) FROM
           (SELECT note, count(*) AS n FROM 'rows.parquet' GROUP BY note)",
        "600000,600000,1",
    );
    finishes(
        100 << 20,
        "SELECT count(*) FROM (SELECT DISTINCT note, customer FROM 'rows.parquet')",
        "600000",
    );
    finishes(
        30 << 20,
        "SELECT count(*), min(place), max(place) FROM (SELECT
           rank() OVER (ORDER BY amount, id) AS place FROM 'rows.parquet')",
        "600000,1,600000",
    );
}

#[test]
fn a_join_that_does_not_fit_says_so_and_what_may_help() {
    let limit = 80 << 20;
    let query = "SELECT count(*), sum(a.amount - b.amount) FROM 'rows.parquet' a
                 JOIN (SELECT substr(note, 1, 64) AS note, amount FROM 'rows.parquet') b
                   ON substr(a.note, 1, 64) = b.note;";
    let (ran, held) = limited(limit, query);
    assert_eq!(ran.code, 1, "{}", ran.out);
    for part in [
        "out of memory: JOIN needs",
        "--memory-limit",
        "prefer_hash_join = false",
    ] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    assert!(held <= most(limit), "{} MiB", held >> 20);
}

/// In plain DataFusion 55.2 an exchange that spills from two sides at once waits for
/// itself, in one of a few attempts.
#[test]
fn rows_on_their_way_never_wait_for_themselves() {
    let query = "SELECT count(*), sum(n) FROM (SELECT customer, count(DISTINCT note) AS n, avg(id)
                 FROM 'rows.parquet' GROUP BY customer)";
    for _ in 0..8 {
        let limit = ["--memory-limit", "3MB", "--timeout", "60s", "-c", query];
        let ran: Ran = segql(data()).args(limit).output().expect("starts").into();
        assert!(ran.code < 2, "{} {}", ran.code, ran.err);
    }
}
