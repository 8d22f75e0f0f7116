//! Frozen views: last year's thresholds of three countries in this year's scores.

mod edited;
mod kept;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::command::{run, segql};
use crate::small_project::{as_of, files, json, members, nodes, replace, rows, rows_with, write};

/// Two or three customers a country, so that the middle of each measure is seen at once.
const ORDERS: &str = "order_id,customer_id,country,ordered_at,amount\n\
    1,1,PL,2024-12-21 10:00:00,100.00\n\
    2,2,PL,2024-12-01 10:00:00,50.00\n3,2,PL,2024-11-01 10:00:00,50.00\n4,2,PL,2024-10-01 10:00:00,100.00\n\
    5,3,BG,2024-12-30 10:00:00,10.00\n\
    6,4,BG,2024-12-20 10:00:00,20.00\n7,4,BG,2024-12-10 10:00:00,10.00\n\
    8,5,GB,2024-12-11 10:00:00,1000.00\n9,6,GB,2024-11-21 10:00:00,500.00\n\
    10,7,GB,2024-12-31 10:00:00,600.00\n11,7,GB,2024-12-30 10:00:00,800.00\n\
    12,7,GB,2024-12-29 10:00:00,800.00\n13,7,GB,2024-12-28 10:00:00,800.00\n\
    14,1,PL,2025-12-30 10:00:00,60.00\n";

/// An order of 2024 that arrives late: 3 then has 2 orders, 1010.00, the last on the day.
const LATE: &str = "15,3,BG,2024-12-31 12:00:00,1000.00\n";

const DEFINITIONS: &str = "\
    CREATE SOURCE orders FROM 'data/orders.csv' WITH (key = 'order_id', event_time = 'ordered_at');\n\
    CREATE VIEW customers AS SELECT DISTINCT customer_id FROM orders;\n\
    CREATE ENTITY customer FROM customers KEY customer_id;\n\
    CREATE VIEW features AS SELECT country, customer_id, days_since(max(ordered_at)) AS recency_days,\n\
      count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY country, customer_id;\n\
    CREATE FROZEN VIEW cuts AS OF '2024-12-31' AS\n\
      SELECT country, rfm_cuts(recency_days, orders, spent, 2) AS cuts FROM features GROUP BY country;\n\
    CREATE SEGMENTATION score AS SELECT customer_id,\n\
      rfm_score_with(recency_days, orders, spent, cuts)['score']::VARCHAR AS label\n\
      FROM features JOIN cuts USING (country);\n";

fn project() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    let toml = "name = \"cuts\"\n[target.dev]\nstore = \"store\"\n[vars]\nbins = 2\n";
    write(here.path(), "segql.toml", toml);
    write(here.path(), "data/orders.csv", ORDERS);
    write(here.path(), "sql/all.sql", DEFINITIONS);
    here
}

/// The middles of 10 and 30 days, 1 and 3 orders, 100 and 200 in PL; of 1 and 11, 1 and
/// 2, 10 and 30 in BG; of 20, 40 and 0, of 1, 1 and 4, of 1000, 500 and 3000 in GB.
const CUTS: &str = "BG,6.0,1.5,20.0\nGB,20.0,1.0,1000.0\nPL,20.0,2.0,150.0\n";

/// With the late order: 0 and 11 days, 2 and 2 orders, 1010 and 30.
const LATE_CUTS: &str = "BG,5.5,2.0,520.0\nGB,20.0,1.0,1000.0\nPL,20.0,2.0,150.0\n";

fn cuts(folder: &Path) -> String {
    let query = "SELECT country, cuts['recency'][1] AS r, cuts['frequency'][1] AS f, \
                 cuts['monetary'][1] AS m FROM cuts ORDER BY country";
    rows(folder, query)
}

fn scores(folder: &Path, date: &str) -> String {
    let query = "SELECT customer_id, label FROM score ORDER BY customer_id";
    rows_with(folder, query, &["--as-of", date])
}

fn frozen(folder: &Path) -> PathBuf {
    folder.join("store/_segql/frozen/cuts")
}

fn status(folder: &Path) -> String {
    rows(folder, "SELECT name, as_of, status, rows FROM segql.frozen")
}

/// Of 2025: 1 came back yesterday and has spent 160 in 2 orders, the others stayed away.
const SCORES: &str = "1,212\n2,122\n3,111\n4,122\n5,111\n6,111\n7,122\n";

#[test]
fn the_first_run_freezes_and_later_ones_read_what_is_kept() {
    let here = project();
    let folder = here.path();
    let first = as_of(folder, "2025-12-31", &[]);
    assert_eq!(nodes(&first), ["score: success 7"], "{}", first.err);
    assert!(
        first.err.contains("cuts: frozen as of 2024-12-31, 3 rows"),
        "{}",
        first.err
    );
    assert_eq!(cuts(folder), CUTS);
    assert_eq!(scores(folder, "2025-12-31"), SCORES);
    assert_eq!(status(folder), "cuts,2024-12-31,frozen,3\n");
    let id = rows(folder, "SELECT id FROM segql.frozen");
    assert_eq!(
        json(&first)["frozen"]["cuts"],
        format!("2024-12-31 {}", id.trim())
    );
    let record = folder.join("store/_segql/snapshots/score/2025-12-31.json");
    let record = std::fs::read_to_string(record).expect("a record");
    assert!(record.contains(id.trim()), "{record}");
    // Nothing changed, nothing is done.
    let again = as_of(folder, "2025-12-31", &[]);
    assert_eq!(nodes(&again), ["score: unchanged 7"], "{}", again.err);
    assert_eq!(json(&again)["frozen"], serde_json::Value::Null);
    // Data of last year change: what was frozen stays, the features do not.
    write(folder, "data/orders.csv", &format!("{ORDERS}{LATE}"));
    assert_eq!(cuts(folder), CUTS);
    let later = as_of(folder, "2026-01-31", &[]);
    assert_eq!(nodes(&later), ["score: success 7"], "{}", later.err);
    // 1 was last there 32 days ago.
    let expected = SCORES
        .replace("1,212\n", "1,112\n")
        .replace("3,111\n", "3,122\n");
    assert_eq!(scores(folder, "2026-01-31"), expected);
    assert_eq!(files(frozen(folder)).len(), 2, "a record and a file");
}

#[test]
fn freezing_anew_reruns_what_builds_on_it() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    // The same rows are the same: nothing to do above them.
    let same = as_of(folder, "2025-12-31", &["--refreeze", "cuts"]);
    assert_eq!(nodes(&same), ["score: unchanged 7"], "{}", same.err);
    assert!(same.err.contains("cuts: frozen as of"), "{}", same.err);
    write(folder, "data/orders.csv", &format!("{ORDERS}{LATE}"));
    as_of(folder, "2025-12-31", &["--restate"]);
    let planned = as_of(folder, "2025-12-31", &["--dry-run", "--refreeze", "cuts"]);
    assert_eq!(nodes(&planned), ["score: planned -"], "{}", planned.err);
    assert!(
        planned.err.contains("cuts: to be frozen as of 2024-12-31"),
        "{}",
        planned.err
    );
    assert_eq!(cuts(folder), CUTS);
    let anew = as_of(folder, "2025-12-31", &["--refreeze", "cuts", "--restate"]);
    assert_eq!(nodes(&anew), ["score: success 7"], "{}", anew.err);
    assert_eq!(cuts(folder), LATE_CUTS);
    // 3 has 2 orders and 1010.00, 4 has 2 and 30.00.
    let expected = SCORES.replace("3,111\n4,122\n", "3,112\n4,111\n");
    assert_eq!(scores(folder, "2025-12-31"), expected);
    // What counted before stays under its id, with its record.
    assert_eq!(
        files(frozen(folder)).len(),
        4,
        "{:?}",
        files(frozen(folder))
    );
}

#[test]
fn what_only_looks_freezes_nothing() {
    let here = project();
    let folder = here.path();
    assert_eq!(cuts(folder), CUTS);
    assert_eq!(scores(folder, "2025-12-31"), SCORES);
    assert_eq!(status(folder), "cuts,2024-12-31,not yet,\n");
    let planned = as_of(folder, "2025-12-31", &["--dry-run"]);
    assert!(
        planned.err.contains("cuts: to be frozen as of 2024-12-31"),
        "{}",
        planned.err
    );
    let check = run(folder, &["check"]);
    assert_eq!(check.code, 0, "{}", check.err);
    assert!(
        check.err.contains("cuts: is not frozen yet"),
        "{}",
        check.err
    );
    assert!(!folder.join("store").exists());
    // A name alone is enough to freeze.
    let wrong = run(folder, &["run", "--refreeze", "cut"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("there is no frozen view 'cut'"),
        "{}",
        wrong.err
    );
    assert!(wrong.err.contains("did you mean 'cuts'"), "{}", wrong.err);
    let wrong = run(folder, &["run", "--refreeze", "features"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .err
            .contains("'features' is a view that is not frozen"),
        "{}",
        wrong.err
    );
}

#[test]
fn a_day_that_is_not_over_is_not_frozen() {
    let here = project();
    let folder = here.path();
    replace(
        folder,
        "sql/all.sql",
        "AS OF '2024-12-31'",
        "AS OF '2199-12-31'",
    );
    let ran = as_of(folder, "2025-12-31", &[]);
    assert_eq!(nodes(&ran), ["score: success 7"], "{}", ran.err);
    assert!(
        ran.err.contains("cuts: 2199-12-31 is not over"),
        "{}",
        ran.err
    );
    assert!(!frozen(folder).exists());
}

/// A replay freezes before its first date, and carries what reads the kept rows.
#[test]
fn a_replay_uses_what_is_kept() {
    let replayed = project();
    let folder = replayed.path();
    let dates = [
        "--from",
        "2025-10-31",
        "--to",
        "2025-12-31",
        "--every",
        "month",
    ];
    let ran = run(
        folder,
        &[&["replay", "--format", "json"][..], &dates].concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("cuts: frozen as of 2024-12-31, 3 rows"),
        "{}",
        ran.err
    );
    let records = json(&ran);
    assert!(records[0]["frozen"]["cuts"].is_string(), "{records}");
    assert_eq!(records[1]["frozen"], serde_json::Value::Null);
    assert_eq!(records[2]["nodes"][0]["replayed"], "carried", "{records}");
    assert_eq!(scores(folder, "2025-12-31"), SCORES);
    // The same bytes as those of single runs.
    let single = project();
    for date in ["2025-10-31", "2025-11-30", "2025-12-31"] {
        as_of(single.path(), date, &[]);
        let bytes = |folder: &Path| std::fs::read(members(folder, "score", date)).expect("read");
        assert!(bytes(folder) == bytes(single.path()), "{date}");
    }
}

/// To an earlier date what was frozen later was not known.
#[test]
fn an_earlier_date_than_that_of_its_thresholds_is_not_point_in_time() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2024-12-30", &[]);
    as_of(folder, "2025-12-31", &[]);
    let query = "SELECT as_of, point_in_time FROM segql.snapshots ORDER BY 1";
    assert_eq!(rows(folder, query), "2024-12-30,false\n2025-12-31,true\n");
}
