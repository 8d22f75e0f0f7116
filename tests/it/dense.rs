//! Groups by numbers that lie close together: where they come into plans, and that the
//! rows are those of the plain plan.

use std::path::Path;

use crate::command::run;
use crate::small_project::write;

/// Keys from -40 to 59, some NULL, in several types; 7 is the key of none, 3 only of rows
/// with a small amount.
const DATA: &str = "COPY (
  SELECT CASE WHEN value % 13 = 0 THEN NULL WHEN value % 100 = 47 THEN 8 ELSE value % 100 - 40 END AS key,
         arrow_cast(CASE WHEN value % 100 = 47 THEN 8 ELSE value % 100 END, 'UInt32') AS small,
         value * 1000003 AS far, 'k' || (value % 100) AS text,
         CASE WHEN value % 100 = 43 THEN 1 ELSE CAST(value AS DECIMAL(12, 2)) / 100 END AS amount,
         CAST(value AS DOUBLE) / 7 AS paid, CASE WHEN value % 3 > 0 THEN value END AS points,
         arrow_cast(value * 1000, 'Timestamp(Millisecond, None)') AS bought, value % 5 = 0 AS is_web
  FROM generate_series(0, 49999)) TO 'rows.parquet'";

/// All aggregations are looked at.
const ALL: &str = "SET segql.cache_sized_rows = 1; SET segql.cache_bytes = 100000;";
const OFF: &str = "SET segql.cache_sized = false;";

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

const CALLS: &str = "count(*) AS n, count(points) AS p, sum(amount) AS a, avg(amount) AS m,
  min(paid) AS s, min(bought) AS f, max(bought) AS l, sum(points) AS i,
  count(*) FILTER (WHERE is_web) AS w, max(amount) FILTER (WHERE points > 40000) AS b, bool_or(is_web) AS o";

/// A query and whether its groups are dense.
fn queries() -> Vec<(String, bool)> {
    let by = |key: &str, calls: &str| {
        format!("SELECT {key}, {calls} FROM 'rows.parquet' GROUP BY {key}")
    };
    let all = |key: &str| by(key, CALLS);
    vec![
        (all("key"), true),
        (all("small"), true),
        (all("text"), false),
        // Far apart, two keys, and calls whose states grow with the rows.
        (all("far"), false),
        (all("key, small"), false),
        (by("key", "count(DISTINCT points) AS n"), false),
        (by("key", "min(text) AS t"), false),
        (by("key", "sum(paid) AS s"), false),
        (by("key", "array_agg(points ORDER BY points) AS t"), false),
        (
            format!(
                "SELECT key, {CALLS} FROM 'rows.parquet' WHERE amount > 2 AND key <> 5 GROUP BY key"
            ),
            true,
        ),
        (
            format!("SELECT key + 1 AS key, {CALLS} FROM 'rows.parquet' GROUP BY key + 1"),
            false,
        ),
        (
            format!("SELECT key, n FROM ({}) WHERE n > 3", all("key")),
            true,
        ),
        (by("key", "count(*) AS n") + " HAVING count(*) > 460", true),
        // Joined to itself: what the join asks of its inputs is not what the groups give.
        (
            format!(
                "SELECT a.key, a.n, b.a FROM ({}) AS a JOIN ({}) AS b ON a.key = b.small",
                all("key"),
                all("small")
            ),
            true,
        ),
        (
            format!(
                "SELECT key, n, rank() OVER (ORDER BY n) AS r, sum(n) OVER (ORDER BY key) AS s FROM ({})",
                all("key")
            ),
            true,
        ),
    ]
}

#[test]
fn the_rows_are_those_of_the_plain_plan() {
    let here = data();
    for (query, is_dense) in queries() {
        let sorted = |options: &[&str], settings: &str| {
            let found = rows(here.path(), options, &format!("{settings} {query}"));
            let mut lines: Vec<String> = found.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let plain = sorted(&["--threads", "2"], OFF);
        for threads in ["2", "3", "7"] {
            let options = ["--threads", threads];
            assert!(sorted(&options, ALL) == plain, "{query} with {threads}");
        }
        let plan = rows(
            here.path(),
            &["--threads", "2"],
            &format!("{ALL} EXPLAIN {query}"),
        );
        assert_eq!(plan.contains("DenseAggregateExec"), is_dense, "{plan}");
    }
}

#[test]
fn groups_come_in_the_order_of_their_keys() {
    let here = data();
    let query =
        "SELECT key, count(*) AS n FROM 'rows.parquet' GROUP BY key ORDER BY key NULLS FIRST";
    let plan = rows(
        here.path(),
        &["--threads", "2"],
        &format!("{ALL} EXPLAIN {query}"),
    );
    assert!(!plan.contains("SortExec"), "{plan}");
    let found = rows(here.path(), &["--threads", "2"], &format!("{ALL} {query}"));
    let keys: Vec<Option<i64>> = found
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().and_then(|key| key.parse().ok()))
        .collect();
    assert_eq!(keys.len(), 100);
    assert!(keys.is_sorted() && keys[0].is_none(), "{keys:?}");
    assert!(!keys.contains(&Some(7)));
}

#[test]
fn the_filled_in_numbers_are_right() {
    let here = data();
    // Of 50,000 rows the 500 with 20 at the end of a hundred have the key -20, but for
    // those that 13 divides: 38 of them.
    let query = "SELECT n FROM (SELECT key, count(*) AS n FROM 'rows.parquet' GROUP BY key) WHERE key = -20";
    let found = rows(here.path(), &["--threads", "2"], &format!("{ALL} {query}"));
    let expected = (0..50_000)
        .filter(|value| value % 13 > 0 && value % 100 == 20)
        .count();
    assert_eq!(found.lines().nth(1), Some(expected.to_string().as_str()));
}

#[test]
fn without_room_for_all_groups_there_are_none() {
    let here = data();
    let query = "EXPLAIN SELECT key, count(*) FROM 'rows.parquet' GROUP BY key";
    let settings = "SET segql.cache_sized_rows = 1;";
    let plan = |more: &[&str], query: &str| rows(here.path(), more, &format!("{settings} {query}"));
    assert!(
        plan(&["--threads", "2", "--memory-limit", "30MB"], query).contains("DenseAggregateExec")
    );
    let many = "COPY (SELECT value AS key FROM generate_series(1, 3000000)) TO 'many.parquet';
                EXPLAIN SELECT key, count(*), sum(key), min(key) FROM 'many.parquet' GROUP BY key";
    assert!(
        !plan(&["--threads", "2", "--memory-limit", "30MB"], many).contains("DenseAggregateExec")
    );
    assert!(plan(&["--threads", "2"], many).contains("DenseAggregateExec"));
}

#[test]
fn resumed_groups_come_in_the_same_order() {
    let here = tempfile::tempdir().expect("a folder");
    let file = |number: u64| {
        let rows = format!(
            "COPY (SELECT (value * 7919 + {number}) % 50000 AS customer, value AS amount,
               arrow_cast({number} * 86400 + value % 80000, 'Timestamp(Second, None)') AS bought
             FROM generate_series(1, 1100000)) TO '{}/data/{number}.parquet'",
            here.path().display()
        );
        let ran = run(Path::new("/"), &["-c", &rows]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    };
    write(here.path(), "segql.toml", "");
    write(
        here.path(),
        "sql/all.sql",
        "CREATE SOURCE orders FROM 'data/*.parquet' WITH (event_time = 'bought');
         CREATE SEGMENT sums WITH (key = 'customer') AS
           SELECT customer, count(*) AS n, sum(amount) AS a, max(bought) AS l FROM orders GROUP BY customer;",
    );
    std::fs::create_dir(here.path().join("data")).expect("a folder");
    file(1);
    file(2);
    let snapshot = |store: &str, more: &[&str]| {
        let all = [
            "run",
            "--as-of",
            "1970-01-10",
            "--store",
            store,
            "--restate",
            "--format",
            "json",
        ];
        let ran = run(here.path(), &[&all[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let path = here
            .path()
            .join(store)
            .join("sums/as_of=1970-01-10/members.parquet");
        let is_resumed = ran.out.contains("files_from_state");
        (std::fs::read(path).expect("a snapshot"), is_resumed)
    };
    assert!(!snapshot("plain", &["--no-cache"]).1);
    snapshot("kept", &[]);
    file(3);
    let (kept, is_resumed) = snapshot("kept", &[]);
    assert!(is_resumed);
    assert!(kept == snapshot("plain", &["--no-cache"]).0);
}
