//! Replays: the snapshots of past dates are those of single runs, byte for byte,
//! whichever way they came about.

use std::collections::BTreeMap;
use std::path::Path;

use crate::command::{Ran, run};
use crate::small_project::{files, json, write};

/// 40 customers, ten of whom come late; orders from January to the end of June 2024, times of every kind, rows without a
/// time or a customer, payments that arrive later than they were made.
const DATA: &str = "
COPY (SELECT order_id, CASE WHEN order_id % 17 = 0 THEN NULL WHEN order_id < 1500 THEN order_id % 30 ELSE order_id % 40 END AS customer,
        ordered_at, CAST(ordered_at AS DATE) AS day,
        CASE WHEN order_id % 5 > 0
             THEN arrow_cast(ordered_at, 'Timestamp(Second, Some(\"UTC\"))') END AS paid_at,
        ordered_at + CAST((order_id % 50) || ' days' AS INTERVAL) AS loaded_at,
        CAST((order_id * 7919) % 10007 AS DECIMAL(12, 2)) / 100 AS amount,
        CAST(order_id AS DOUBLE) / 7 AS weight, 'c' || (order_id % 3) AS channel
      FROM (SELECT value AS order_id, arrow_cast(1704067200 + value * 5220, 'Timestamp(Second, None)') AS ordered_at
            FROM generate_series(1, 3000))) TO 'data/orders.parquet';
COPY (SELECT value AS customer, CASE WHEN value % 2 = 0 THEN 'PL' ELSE 'BG' END AS country,
        DATE '2024-01-01' + CAST((value * 4) || ' days' AS INTERVAL) AS since
      FROM generate_series(0, 39)) TO 'data/customers.parquet';
";

const SOURCES: &str = "
CREATE SOURCE orders FROM 'data/orders.parquet' WITH (event_time = 'ordered_at');
CREATE SOURCE days FROM 'data/orders.parquet' WITH (event_time = 'day');
CREATE SOURCE paid FROM 'data/orders.parquet' WITH (event_time = 'paid_at', null_time = 'show');
CREATE SOURCE hidden FROM 'data/orders.parquet'
  WITH (event_time = 'paid_at', null_time = 'hide', time_zone = 'Asia/Tokyo');
CREATE SOURCE late FROM 'data/orders.parquet'
  WITH (event_time = 'ordered_at', known_at = 'loaded_at', time_zone = 'Asia/Tokyo');
CREATE SOURCE latest FROM 'data/orders.parquet'
  WITH (key = 'channel', latest_by = 'loaded_at');
CREATE SOURCE customers FROM 'data/customers.parquet' WITH (event_time = 'since');
CREATE SOURCE present FROM 'data/customers.parquet';
";

/// Of each segment: how a replay comes by it.
const SEGMENTS: [(&str, &str, &str); 17] = [
    (
        "sums",
        "carried",
        "SELECT customer, count(*) AS n, count(paid_at) AS p, sum(amount) AS a, sum(weight) AS w,
           avg(amount) AS m, avg(weight) AS x, min(day) AS f, max(ordered_at) AS l, min(channel) AS c,
           sum(amount) FILTER (WHERE channel = 'c1') AS c1, stddev(weight) AS s
         FROM orders WHERE customer IS NOT NULL GROUP BY customer",
    ),
    (
        "scored",
        "carried",
        "SELECT customer, rfm_score(days_since(last), n, spent) OVER () AS score FROM (
           SELECT customer, max(ordered_at) AS last, count(*) AS n, sum(amount) AS spent
           FROM orders WHERE customer > 3 GROUP BY customer)",
    ),
    (
        "by_day",
        "carried",
        "SELECT customer, count(*) AS n FROM days WHERE customer < 30 GROUP BY customer",
    ),
    (
        "shown",
        "carried",
        "SELECT customer, count(*) AS n, max(paid_at) AS l FROM paid WHERE customer < 30 GROUP BY customer",
    ),
    (
        "hidden_ones",
        "carried",
        "SELECT customer, count(*) AS n, max(paid_at) AS l FROM hidden WHERE customer < 30 GROUP BY customer",
    ),
    (
        "of_late",
        "carried",
        "SELECT customer, count(*) AS n, sum(amount) AS a, max(ordered_at) AS l,
           count(*) FILTER (WHERE days_since(ordered_at) < 20) AS recent,
           coalesce(sum(amount) FILTER (WHERE ordered_at > as_of_ts() - INTERVAL '9 days'), 0) AS b
         FROM orders WHERE customer < 30 AND channel <> 'c2' GROUP BY customer",
    ),
    (
        "within_days",
        "carried",
        "SELECT customer, count(*) AS n, min(ordered_at) AS f, count(*) FILTER (WHERE amount > 40) AS big
         FROM orders WHERE customer IS NOT NULL AND days_since(ordered_at) <= 2 GROUP BY customer",
    ),
    (
        "aged",
        "carried",
        "SELECT customer, min(days_since(ordered_at)) AS r, sum(days_since(day)) AS s FROM orders
         WHERE customer IS NOT NULL GROUP BY customer HAVING min(days_since(ordered_at)) < 3",
    ),
    (
        "known_late",
        "carried",
        "SELECT customer, count(*) AS n, sum(amount) AS a FROM late WHERE customer < 30 GROUP BY customer",
    ),
    (
        "joined",
        "carried",
        "SELECT o.customer, country, count(*) AS n, sum(o.amount) AS a
         FROM orders AS o JOIN customers AS c ON c.customer = o.customer AND o.amount > 1
         GROUP BY o.customer, country HAVING count(*) > 3",
    ),
    (
        "self_joined",
        "carried",
        "SELECT a.customer, count(*) AS n FROM orders AS a JOIN days AS b ON b.order_id = a.order_id - 7
         WHERE a.customer IS NOT NULL GROUP BY a.customer",
    ),
    (
        "with_present",
        "carried",
        "SELECT p.customer, count(*) AS n FROM present AS p JOIN orders AS o USING (customer)
         GROUP BY p.customer",
    ),
    (
        "text_key",
        "carried",
        "SELECT channel, count(*) AS n FROM orders GROUP BY channel",
    ),
    (
        "never_bought",
        "partly carried",
        "SELECT c.customer, coalesce(n, 0) AS n FROM customers AS c LEFT JOIN
           (SELECT customer, count(*) AS n FROM orders GROUP BY customer) AS o USING (customer)",
    ),
    (
        "left_joined",
        "evaluated",
        "SELECT c.customer, count(order_id) AS n FROM customers AS c LEFT JOIN orders AS o USING (customer)
         GROUP BY c.customer",
    ),
    (
        "newest",
        "evaluated",
        "SELECT channel, count(*) AS n, max(amount) AS a FROM latest GROUP BY channel",
    ),
    (
        "before",
        "carried",
        "SELECT customer, count(*) AS n, (SELECT count(*) FROM previous_members('before')) AS was
         FROM orders WHERE customer IS NOT NULL GROUP BY customer",
    ),
];

fn project() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    write(here.path(), "segql.toml", "time_zone = 'Europe/Warsaw'\n");
    std::fs::create_dir(here.path().join("data")).expect("a folder");
    let ran = run(here.path(), &["-c", DATA]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut sql = SOURCES.to_owned();
    sql += "CREATE ENTITY customer FROM present KEY customer;\n";
    for (name, _, query) in SEGMENTS {
        let key = match query.contains("channel, count") {
            true => "channel",
            false => "customer",
        };
        sql += &format!("CREATE SEGMENT {name} WITH (key = '{key}') AS {query};\n");
    }
    write(here.path(), "sql/all.sql", &sql);
    here
}

fn replay(folder: &Path, more: &[&str]) -> Ran {
    let span = ["replay", "--from", "2024-01-31", "--to", "2024-05-31"];
    let ran = run(folder, &[&span[..], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran
}

/// Each snapshot's bytes, by its place in the store.
fn snapshots(folder: &Path, store: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for segment in files(folder.join(store)) {
        for date in files(segment) {
            let path = date.join("members.parquet");
            if let Ok(bytes) = std::fs::read(&path) {
                let name = path.strip_prefix(folder.join(store)).expect("is below");
                found.insert(name.display().to_string(), bytes);
            }
        }
    }
    found
}

const MONTHS: [&str; 5] = [
    "2024-01-31",
    "2024-02-29",
    "2024-03-31",
    "2024-04-30",
    "2024-05-31",
];

#[test]
fn snapshots_are_those_of_single_runs() {
    let here = project();
    let here = here.path();
    for month in MONTHS {
        let ran = run(
            here,
            &["run", "--as-of", month, "--store", "single", "--no-cache"],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let single = snapshots(here, "single");
    assert_eq!(single.len(), MONTHS.len() * SEGMENTS.len());
    for (store, more) in [
        ("two", &["--threads", "2"][..]),
        ("one", &["--threads", "1"]),
        ("seven", &["--threads", "7"]),
        ("little", &["--memory-limit", "30MB"]),
    ] {
        replay(here, &[more, &["--store", store]].concat());
        let replayed = snapshots(here, store);
        assert_eq!(replayed.len(), single.len());
        for (name, bytes) in &single {
            assert!(replayed[name] == *bytes, "{name} with {more:?}");
        }
    }
}

#[test]
fn it_is_shown_what_was_carried() {
    let here = project();
    let ran = replay(here.path(), &["--format", "json"]);
    let records = json(&ran);
    let records = records.as_array().expect("an array");
    assert_eq!(records.len(), MONTHS.len());
    for record in records {
        let nodes = record["nodes"].as_array().expect("nodes");
        let how = |name: &str| {
            let mut nodes = nodes.iter();
            nodes
                .find(|node| node["name"] == name)
                .map(|node| node["replayed"].clone())
        };
        for (name, expected, _) in SEGMENTS {
            let word = expected.split(' ').next().unwrap_or_default();
            assert_eq!(
                how(name),
                Some(word.into()),
                "{name} as of {}",
                record["as_of"]
            );
        }
    }
}

#[test]
fn dates_that_are_there_are_left_alone() {
    let here = project();
    let here = here.path();
    let ran = run(here, &["run", "scored", "--as-of", "2024-03-31"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = replay(here, &["scored", "--format", "csv"]);
    let unchanged: Vec<&str> = ran
        .out
        .lines()
        .filter(|it| it.contains("unchanged"))
        .collect();
    assert_eq!(unchanged.len(), 1, "{}", ran.out);
    assert!(
        unchanged[0].starts_with("2024-03-31,scored"),
        "{unchanged:?}"
    );
    assert!(
        ran.err.contains("5 dates: 4 written, 1 unchanged"),
        "{}",
        ran.err
    );
    let ran = replay(here, &["scored"]);
    assert!(
        ran.err.contains("5 dates: 0 written, 5 unchanged"),
        "{}",
        ran.err
    );
}

#[test]
fn what_used_present_values_says_so() {
    let here = project();
    let ran = replay(here.path(), &["with_present", "sums", "--format", "csv"]);
    assert!(
        ran.err
            .contains("not point in time: present: without times"),
        "{}",
        ran.err
    );
    let query =
        "SELECT segment, point_in_time, count(*) FROM segql.snapshots GROUP BY 1, 2 ORDER BY 1";
    let ran = run(here.path(), &["--format", "csv", "-c", query]);
    let rows: Vec<&str> = ran.out.lines().skip(1).collect();
    assert_eq!(rows, ["sums,true,5", "with_present,false,5"]);
}

#[test]
fn wrong_dates_are_refused() {
    let here = project();
    for (from, to, every, wrong) in [
        ("2024-03-31", "2024-01-31", "month", "before they begin"),
        ("2024-01-31", "2024-03-31", "moth", "'month'"),
        ("2024-01-32", "2024-03-31", "day", "2024-01-32"),
        ("2024-01-31 10:00", "2024-03-31", "day", "is an instant"),
    ] {
        let ran = run(
            here.path(),
            &["replay", "--from", from, "--to", to, "--every", every],
        );
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(wrong), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}
