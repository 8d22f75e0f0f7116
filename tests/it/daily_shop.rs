//! A project over one file of orders a day, run with and without what earlier runs kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Ran, run};
use crate::small_project::{files, json, members, write};

/// Four days are more rows than are aggregated faster than looked up.
const ROWS_A_DAY: u64 = 4_000;

const SEGMENTS: &str = "
CREATE SEGMENT sums WITH (key = 'customer_id') AS
  SELECT customer_id, sum(amount) AS a, sum(paid) AS b, sum(order_id) AS c, avg(amount) AS d,
         avg(paid) AS e, var_samp(paid) AS f, stddev_pop(amount) AS g, corr(paid, order_id) AS h,
         min(amount) AS i, max(ordered_at) AS j, count(*) AS k, count(channel) AS l,
         bool_or(channel = 'web') AS m, min(channel) AS n
  FROM orders GROUP BY customer_id;
CREATE SEGMENT filtered WITH (key = 'customer_id') AS
  SELECT customer_id, count(*) FILTER (WHERE channel = 'web') AS web, sum(amount) AS spent
  FROM orders WHERE amount > 3 AND channel IN ('web', 'app', $channel)
  GROUP BY customer_id HAVING sum(amount) > 40 * $many;
CREATE SEGMENT months WITH (key = 'customer_id') AS
  SELECT customer_id, count(*) AS days, max(spent) AS best FROM (
    SELECT customer_id, date_trunc('day', ordered_at) AS day, sum(amount) AS spent
    FROM orders GROUP BY 1, 2) GROUP BY customer_id;
CREATE SEGMENT above WITH (key = 'customer_id') AS
  SELECT customer_id FROM orders GROUP BY customer_id
  HAVING avg(paid) > (SELECT avg(paid) FROM orders);
";

/// A project over one file a day.
pub(crate) struct Shop {
    here: tempfile::TempDir,
    checks: std::cell::Cell<u32>,
}

impl Shop {
    pub(crate) fn new(null_time: &str) -> Self {
        let here = tempfile::tempdir().expect("a folder");
        write(
            here.path(),
            "segql.toml",
            "[vars]\nmany = 2\nchannel = 'shop'\n",
        );
        let options = format!("event_time = 'ordered_at', null_time = '{null_time}'");
        let source = format!("CREATE SOURCE orders FROM 'data/*.parquet' WITH ({options});\n");
        write(here.path(), "sql/shop.sql", &(source + SEGMENTS));
        fs::create_dir(here.path().join("data")).expect("a folder");
        let shop = Self {
            here,
            checks: std::cell::Cell::new(0),
        };
        for day in 1..=4 {
            shop.day(day);
        }
        shop
    }

    pub(crate) fn path(&self) -> &Path {
        self.here.path()
    }

    pub(crate) fn file(&self, day: u32) -> PathBuf {
        self.path().join(format!("data/day-{day:02}.parquet"))
    }

    /// The orders of a day of January 2025.
    pub(crate) fn day(&self, day: u32) {
        self.write_day(day, "ordered_at", "");
    }

    pub(crate) fn write_day(&self, day: u32, time: &str, more: &str) {
        let seconds = 1_735_689_600 + (u64::from(day) - 1) * 86_400;
        let last = ROWS_A_DAY - 1;
        let file = self.file(day).display().to_string();
        let query = format!(
            "COPY (SELECT order_id, customer_id, {time} AS ordered_at, amount, paid, channel{more}
             FROM (SELECT {day} * {ROWS_A_DAY} + value AS order_id,
               (value * 7919 + {day} * 31) % 300 AS customer_id,
               arrow_cast(({seconds} + value * 20) * 1000000, 'Timestamp(Microsecond, None)')
                 AS ordered_at,
               CAST((value * 37 + {day}) % 9000 / 100.0 AS DECIMAL(12, 2)) AS amount,
               value / 3.0 * power(10.0, value % 7 - 3) AS paid,
               CASE value % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'app' END AS channel
             FROM generate_series(0, {last}))) TO '{file}'"
        );
        // Outside, so that no definition of the project matters.
        let ran = run(Path::new("/"), &["-c", &query]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }

    pub(crate) fn run(&self, date: &str, more: &[&str]) -> Ran {
        let all = ["run", "--format", "json", "--restate", "--as-of", date];
        run(self.path(), &[&all[..], more].concat())
    }

    /// Runs with what was kept and, elsewhere, without; both must say the same. Gives
    /// the files from states and those read, by node.
    pub(crate) fn check(&self, date: &str, more: &[&str]) -> BTreeMap<String, (u64, u64)> {
        let kept = self.run(date, more);
        let number = self.checks.replace(self.checks.get() + 1);
        let store = format!("full-{number}");
        let full = self.run(
            date,
            &[&["--no-cache", "--store", &store][..], more].concat(),
        );
        assert_eq!((kept.code, full.code), (0, 0), "{}\n{}", kept.err, full.err);
        let day = &date[..10];
        for node in json(&full)["nodes"].as_array().expect("nodes") {
            assert!(node["reused"].is_null(), "{node}");
            let name = node["name"].as_str().expect("a name");
            let written = fs::read(members(self.path(), name, day)).expect("a snapshot");
            let file = format!("{store}/{name}/as_of={day}/members.parquet");
            let expected = fs::read(self.path().join(file)).expect("a snapshot");
            assert!(written == expected, "{name} differs at {date}");
        }
        reused(&kept)
    }

    pub(crate) fn states(&self) -> Vec<PathBuf> {
        files(self.path().join("store/_segql/states"))
    }

    /// The files of states of this kind.
    pub(crate) fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let of_kind = |path: &PathBuf| path.extension().is_some_and(|it| it == ending);
        self.states().into_iter().filter(of_kind).collect()
    }
}

pub(crate) fn reused(ran: &Ran) -> BTreeMap<String, (u64, u64)> {
    let record = json(ran);
    let nodes = record["nodes"].as_array().expect("nodes");
    let nodes = nodes.iter().filter(|node| !node["reused"].is_null());
    nodes
        .map(|node| {
            let count = |key: &str| node["reused"][key].as_u64().expect("a number");
            let name = node["name"].as_str().expect("a name").to_owned();
            (name, (count("files_from_state"), count("files_read")))
        })
        .collect()
}

/// The same for all four; `above` has two aggregates over the same files.
pub(crate) fn all(from_state: u64, read: u64) -> BTreeMap<String, (u64, u64)> {
    let nodes = [("above", 2), ("filtered", 1), ("months", 1), ("sums", 1)];
    let of = |(node, times): (&str, u64)| (node.to_owned(), (times * from_state, times * read));
    nodes.map(of).into()
}
