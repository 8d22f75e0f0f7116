//! Aggregates resumed from what the last run kept: the members are those of a run that
//! reads everything, byte for byte, and only the files that are new are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Ran, run, segql};
use crate::small_project::{files, json, members, replace, write};

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
struct Shop {
    here: tempfile::TempDir,
    checks: std::cell::Cell<u32>,
}

impl Shop {
    fn new(null_time: &str) -> Self {
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

    fn path(&self) -> &Path {
        self.here.path()
    }

    fn file(&self, day: u32) -> PathBuf {
        self.path().join(format!("data/day-{day:02}.parquet"))
    }

    /// The orders of a day of January 2025.
    fn day(&self, day: u32) {
        self.write_day(day, "ordered_at", "");
    }

    fn write_day(&self, day: u32, time: &str, more: &str) {
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

    fn run(&self, date: &str, more: &[&str]) -> Ran {
        let all = ["run", "--format", "json", "--restate", "--as-of", date];
        run(self.path(), &[&all[..], more].concat())
    }

    /// Runs with what was kept and, elsewhere, without; both must say the same. Gives
    /// the files from states and those read, by node.
    fn check(&self, date: &str, more: &[&str]) -> BTreeMap<String, (u64, u64)> {
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

    fn states(&self) -> Vec<PathBuf> {
        files(self.path().join("store/_segql/states"))
    }

    /// The files of states of this kind.
    fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let of_kind = |path: &PathBuf| path.extension().is_some_and(|it| it == ending);
        self.states().into_iter().filter(of_kind).collect()
    }
}

fn reused(ran: &Ran) -> BTreeMap<String, (u64, u64)> {
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
fn all(from_state: u64, read: u64) -> BTreeMap<String, (u64, u64)> {
    let nodes = [("above", 2), ("filtered", 1), ("months", 1), ("sums", 1)];
    let of = |(node, times): (&str, u64)| (node.to_owned(), (times * from_state, times * read));
    nodes.map(of).into()
}

#[test]
fn only_new_files_are_read() {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    for day in 5..=9 {
        shop.day(day);
        let date = format!("2025-01-{day:02}");
        let day = u64::from(day);
        assert_eq!(shop.check(&date, &[]), all(day - 1, 1), "{date}");
    }
    // States do not depend on how many threads wrote them.
    shop.day(10);
    assert_eq!(shop.check("2025-01-10", &["--threads", "1"]), all(9, 1));
    shop.day(11);
    assert_eq!(shop.check("2025-01-11", &["--threads", "7"]), all(10, 1));
}

#[test]
fn a_date_sees_what_it_may() {
    let shop = Shop::new("error");
    shop.day(5);
    shop.day(6);
    assert_eq!(shop.check("2025-01-06", &[]), all(0, 6));
    // Of two days nothing may be seen, so the state of all six is of no use.
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 6));
    assert_eq!(shop.check("2025-01-05", &[]), all(4, 2));
    shop.day(7);
    assert_eq!(shop.check("2025-01-07", &[]), all(6, 1));
}

#[test]
fn a_file_that_reaches_beyond_the_date_is_read_each_time() {
    let shop = Shop::new("error");
    shop.day(5);
    assert_eq!(shop.check("2025-01-05 12:00:00", &[]), all(0, 5));
    shop.day(6);
    // The fifth was not part of the state, as half of it was yet to come.
    assert_eq!(shop.check("2025-01-06", &[]), all(4, 2));
    shop.day(7);
    assert_eq!(shop.check("2025-01-07", &[]), all(6, 1));
}

#[test]
fn changed_files_are_read_again() {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    // Written again as it was: nobody can know without reading it.
    shop.day(2);
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    shop.write_day(2, "ordered_at + INTERVAL '1 second'", "");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    shop.day(5);
    assert_eq!(shop.check("2025-01-05", &[]), all(4, 1));
    // The fifth was merged with the rest, whose state holds a file that is gone.
    fs::rename(shop.file(5), shop.path().join("data/other.parquet")).expect("renamed");
    assert_eq!(shop.check("2025-01-05", &[])["months"], (0, 5));
    fs::remove_file(shop.file(3)).expect("removed");
    let sizes = shop.check("2025-01-05", &[]);
    assert_eq!(sizes["sums"].0, 0, "{sizes:?}");
}

#[test]
fn a_row_without_a_time_is_what_it_always_is() {
    let nullify = "CASE WHEN order_id % 5 > 0 THEN ordered_at END";
    for null_time in ["show", "hide"] {
        let shop = Shop::new(null_time);
        shop.write_day(2, nullify, "");
        assert_eq!(shop.check("2025-01-04", &[]), all(0, 4), "{null_time}");
        shop.write_day(5, nullify, "");
        assert_eq!(shop.check("2025-01-05", &[]), all(4, 1), "{null_time}");
        shop.write_day(6, "NULL", "");
        shop.day(7);
        // A file without any time has no largest one.
        assert_eq!(shop.check("2025-01-07", &[]), all(5, 2), "{null_time}");
    }
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    shop.write_day(5, nullify, "");
    for more in [&[][..], &["--no-cache"]] {
        let ran = shop.run("2025-01-05", more);
        assert_eq!(ran.code, 1);
        assert!(
            ran.err.contains("'orders.ordered_at' is NULL"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn another_question_has_another_state() {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    // What is done with the groups is not part of the state.
    replace(shop.path(), "sql/shop.sql", "AS best", "AS top");
    let again = shop.check("2025-01-04", &["--var", "many=3"]);
    assert_eq!(again.get("filtered"), Some(&(4, 0)), "{again:?}");
    assert_eq!(again.get("months"), Some(&(4, 0)), "{again:?}");
    // What is done with the rows is.
    let again = shop.check("2025-01-04", &["--var", "channel=app"]);
    assert_eq!(again.get("filtered"), Some(&(0, 4)), "{again:?}");
    replace(shop.path(), "sql/shop.sql", "amount > 3", "amount > 4");
    assert_eq!(shop.check("2025-01-04", &[])["filtered"], (0, 4));
    replace(
        shop.path(),
        "sql/shop.sql",
        "'day', ordered_at",
        "'week', ordered_at",
    );
    assert_eq!(shop.check("2025-01-04", &[])["months"], (0, 4));
    let zone = ["--time-zone", "Europe/Warsaw", "--store", "warsaw"];
    assert_eq!(shop.run("2025-01-04", &zone).code, 0);
    let again = shop.run("2025-01-05", &zone);
    assert_eq!(
        reused(&again)["sums"].0,
        4,
        "wall clocks are those of the zone: the fourth ends before midnight there too"
    );
}

#[test]
fn a_new_column_harms_nobody() {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    shop.write_day(5, "ordered_at", ", order_id % 7 AS pieces");
    assert_eq!(shop.check("2025-01-05", &[]), all(4, 1));
    replace(
        shop.path(),
        "sql/shop.sql",
        "count(*) AS k",
        "sum(pieces) AS k",
    );
    let again = shop.check("2025-01-05", &[]);
    assert_eq!(again["sums"], (0, 5), "{again:?}");
}

/// Does this to the store, then asks for the same again and for one more day.
fn after(harm: impl Fn(&Shop)) -> BTreeMap<String, (u64, u64)> {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    harm(&shop);
    shop.day(5);
    let found = shop.check("2025-01-05", &[]);
    shop.day(6);
    // What was kept then is sound again.
    assert_eq!(shop.check("2025-01-06", &[]), all(5, 1));
    found
}

#[test]
fn what_is_damaged_is_computed_anew() {
    for ending in ["arrow", "json"] {
        let flipped = after(|shop| {
            for path in shop.ending(ending) {
                let mut bytes = fs::read(&path).expect("there");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(path, bytes).expect("written");
            }
        });
        assert_eq!(flipped, all(0, 5), "{ending}");
        let cut = after(|shop| {
            for path in shop.ending(ending) {
                let bytes = fs::read(&path).expect("there");
                fs::write(path, &bytes[..bytes.len() - 9]).expect("written");
            }
        });
        assert_eq!(cut, all(0, 5), "{ending}");
    }
    let gone = after(|shop| {
        for path in shop.ending("arrow") {
            fs::remove_file(path).expect("removed");
        }
    });
    assert_eq!(gone, all(0, 5));
}

#[test]
fn a_state_is_not_taken_for_another() {
    for ending in ["arrow", "json"] {
        let swapped = after(|shop| {
            let mut paths = shop.ending(ending);
            paths.sort();
            let contents: Vec<_> = paths
                .iter()
                .map(|it| fs::read(it).expect("there"))
                .collect();
            for (path, other) in paths.iter().zip(contents.iter().cycle().skip(1)) {
                fs::write(path, other).expect("written");
            }
        });
        assert_eq!(swapped, all(0, 5), "{ending}");
    }
}

#[test]
fn where_nothing_can_be_kept_the_run_goes_on() {
    let shop = Shop::new("error");
    // A file where the folder should be.
    write(shop.path(), "store/_segql/states", "");
    let ran = shop.run("2025-01-04", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("cannot be kept in") && ran.err.contains("store/_segql/states"),
        "{}",
        ran.err
    );
    assert_eq!(reused(&ran), BTreeMap::new());
}

#[test]
fn the_cache_is_listed_and_cleared() {
    let shop = Shop::new("error");
    assert_eq!(shop.check("2025-01-04", &[]), all(0, 4));
    let listed = run(shop.path(), &["cache", "--format", "csv"]);
    let lines: Vec<&str> = listed.out.lines().collect();
    assert_eq!(lines[0], "aggregate,files,input_rows,rows,bytes,used");
    // Two of `above`, one of each of the others; customers by day: 4 times 300.
    assert_eq!(lines.len(), 6, "{}", listed.out);
    let months = lines.iter().find(|it| it.contains("date_trunc"));
    assert!(
        months.expect("listed").contains(",4,16000,1200,"),
        "{lines:?}"
    );
    let cleared = run(shop.path(), &["cache", "clear"]);
    assert!(
        cleared.err.contains("removed the states of 5 aggregates"),
        "{}",
        cleared.err
    );
    assert_eq!(shop.states(), [] as [PathBuf; 0]);
    shop.day(5);
    assert_eq!(shop.check("2025-01-05", &[]), all(0, 5));
}

#[test]
fn nothing_is_kept_when_nothing_is_to_be() {
    let shop = Shop::new("error");
    for (variable, flag) in [("", "--no-cache"), ("1", "--quiet")] {
        let mut command = segql(shop.path());
        command.args(["run", "--force", "--restate", "--as-of", "2025-01-04", flag]);
        command.env("SEGQL_NO_CACHE", variable);
        let ran = Ran::from(command.output().expect("starts"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(shop.states(), [] as [PathBuf; 0], "{flag}");
    }
    replace(shop.path(), "segql.toml", "[vars]", "cache = false\n[vars]");
    assert_eq!(shop.run("2025-01-05", &[]).code, 0);
    assert_eq!(shop.states(), [] as [PathBuf; 0]);
}

#[test]
fn what_saves_nothing_is_not_kept() {
    let shop = Shop::new("error");
    let segment = "CREATE SEGMENT orders_of WITH (key = 'order_id') AS
        SELECT order_id, sum(amount) AS paid FROM orders GROUP BY order_id;";
    write(
        shop.path(),
        "sql/shop.sql",
        &format!(
            "{}{segment}",
            "CREATE SOURCE orders FROM 'data/*.parquet' WITH (event_time = 'ordered_at');"
        ),
    );
    assert_eq!(shop.check("2025-01-04", &[]), BTreeMap::new());
    assert_eq!(shop.ending("arrow"), [] as [PathBuf; 0]);
}

#[test]
fn functions_that_keep_all_values_are_left_alone() {
    let shop = Shop::new("error");
    let segments = "CREATE SOURCE orders FROM 'data/*.parquet' WITH (event_time = 'ordered_at');
        CREATE SEGMENT middle WITH (key = 'customer_id') AS
          SELECT customer_id, median(amount) AS paid FROM orders GROUP BY customer_id;
        CREATE SEGMENT doubles WITH (key = 'customer_id') AS
          SELECT customer_id, max(paid) AS most FROM orders GROUP BY customer_id;
        CREATE SEGMENT kinds WITH (key = 'customer_id') AS
          SELECT customer_id, count(DISTINCT channel) AS channels, avg(amount) AS mean
          FROM orders GROUP BY customer_id;";
    write(shop.path(), "sql/shop.sql", segments);
    assert_eq!(shop.check("2025-01-04", &[]), BTreeMap::new());
}
