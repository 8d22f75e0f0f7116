//! Aggregations in tables that fit the cache: when they come into plans, and that nothing
//! else changes.

use std::path::Path;

use crate::command::run;

/// Customer k of 20,000 has ten orders of k, k + 20,000, … cents.
const DATA: &str = "COPY (
  SELECT value % 20000 AS customer, 'c' || (value % 20000) AS email,
         CAST(value AS DECIMAL(12, 2)) / 100 AS amount, CAST(value AS DOUBLE) / 7 AS paid,
         CASE WHEN value % 3 = 0 THEN NULL ELSE value END AS points,
         to_timestamp_seconds(value) AS bought
  FROM generate_series(0, 199999)) TO 'orders.parquet'";

/// A cache so small that these few groups are many.
const SMALL: &str = "SET segql.cache_sized_rows = 1; SET segql.cache_bytes = 10000;";
const OFF: &str = "SET segql.cache_sized = false;";

const BY_CUSTOMER: &str = "
  SELECT customer, count(*) AS n, sum(amount) AS spent, avg(amount) AS mean, sum(paid) AS paid,
         avg(paid) AS mean_paid, sum(points) AS points, min(bought) AS first, max(bought) AS last
  FROM 'orders.parquet' WHERE amount >= 0 GROUP BY customer";

fn data() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    let ran = run(here.path(), &["-c", DATA]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    here
}

fn rows(folder: &Path, options: &[&str], script: &str) -> String {
    let mut arguments = vec!["--format", "csv", "-c", script];
    arguments.extend(options);
    let ran = run(folder, &arguments);
    assert_eq!(ran.code, 0, "{script}: {}", ran.err);
    ran.out
}

fn is_sized(folder: &Path, options: &[&str], settings: &str, query: &str) -> bool {
    let plan = rows(folder, options, &format!("{settings} EXPLAIN {query}"));
    plan.contains("CacheSizedExec") || plan.contains("DenseAggregateExec")
}

#[test]
fn the_rows_are_those_of_the_plain_plan() {
    let here = data();
    let queries = [
        format!("{BY_CUSTOMER} ORDER BY customer"),
        BY_CUSTOMER.replace("customer", "email") + " ORDER BY email",
        "SELECT customer, email, sum(paid) AS paid FROM 'orders.parquet'
         GROUP BY customer, email ORDER BY customer"
            .to_owned(),
        // Both sides of a join dealt alike, and an aggregation above it.
        "SELECT n, count(*) AS customers, sum(spent) AS spent FROM
           (SELECT customer, count(*) AS n FROM 'orders.parquet' GROUP BY customer) AS a
           JOIN (SELECT customer AS c, sum(amount) AS spent FROM 'orders.parquet'
                 GROUP BY customer) AS b ON customer = c
         GROUP BY n ORDER BY n"
            .to_owned(),
    ];
    for query in &queries {
        let plain = rows(here.path(), &["--threads", "2"], &format!("{OFF} {query}"));
        for options in [
            &["--threads", "1"][..],
            &["--threads", "2"],
            &["--threads", "3"],
            &["--threads", "2", "--memory-limit", "500MB"],
        ] {
            let sized = rows(here.path(), options, &format!("{SMALL} {query}"));
            assert!(sized == plain, "{query} with {options:?}");
            let expected = options[1] != "1";
            assert_eq!(is_sized(here.path(), options, SMALL, query), expected);
        }
    }
}

#[test]
fn what_depends_on_order_keeps_it() {
    let here = data();
    let query =
        "SELECT customer, string_agg(CAST(points AS VARCHAR), ',' ORDER BY bought) AS points,
         first_value(paid ORDER BY bought DESC) AS newest, sum(amount) AS spent
       FROM 'orders.parquet' GROUP BY customer ORDER BY customer";
    let plain = rows(here.path(), &["--threads", "2"], &format!("{OFF} {query}"));
    let sized = rows(
        here.path(),
        &["--threads", "2"],
        &format!("{SMALL} {query}"),
    );
    assert!(sized == plain);
    // Points that can be divided by three are NULL; the orders of 1 are 1, 20001, …, 180001.
    let of_one = plain.lines().nth(2).unwrap_or_default();
    assert!(
        of_one.starts_with("1,\"1,40001,60001,100001,120001,160001,180001\","),
        "{of_one}"
    );
}

#[test]
fn sums_are_right() {
    let here = data();
    // The orders of customer k add up to 10 k + 20,000 (0 + … + 9) = 10 k + 900,000 cents.
    let query = format!(
        "{SMALL} SELECT count(*), min(n), max(n),
           sum(CASE WHEN CAST(spent * 100 AS BIGINT) = 10 * customer + 900000 THEN 1 ELSE 0 END)
         FROM ({BY_CUSTOMER})"
    );
    let found = rows(here.path(), &["--threads", "2"], &query);
    assert_eq!(found.lines().last(), Some("20000,10,10,20000"));
}

#[test]
fn small_inputs_and_what_the_user_chose_stay() {
    let here = data();
    let two = ["--threads", "2"];
    let sized = |settings: &str| is_sized(here.path(), &two, settings, BY_CUSTOMER);
    assert!(sized(SMALL));
    assert!(!sized(""));
    assert!(!sized(OFF));
    assert!(!sized("SET segql.cache_bytes = 10000;"));
    assert!(!sized("SET segql.cache_sized_rows = 1;"));
    for chosen in [
        "target_partitions = 4",
        "batch_size = 4096",
        "skip_partial_aggregation_probe_ratio_threshold = 0.5",
        "skip_partial_aggregation_probe_rows_threshold = 10",
    ] {
        let settings = format!("{SMALL} SET datafusion.execution.{chosen};");
        assert!(!sized(&settings), "{chosen}");
    }
}

#[test]
fn a_setting_that_makes_no_sense_is_refused() {
    let here = tempfile::tempdir().expect("a folder");
    let ran = run(here.path(), &["-c", "SET segql.cache_sized = 'often'"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("segql.cache_sized cannot be 'often'"));
    assert!(ran.err.contains("true or false"));
}
