//! Aggregates resumed from what the last run kept: the members are those of a run that
//! reads everything, byte for byte, and only the files that are new are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::command::{Ran, run, segql};
use crate::daily_shop::{Shop, all, reused};
use crate::small_project::{replace, write};

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
