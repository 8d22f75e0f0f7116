//! Frozen views: last year's thresholds of three countries in this year's scores.

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
fn an_edited_definition_refuses_the_old_rows() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    replace(
        folder,
        "sql/all.sql",
        "spent, 2) AS cuts",
        "spent, 3) AS cuts",
    );
    let refused = as_of(folder, "2026-01-31", &[]);
    assert_eq!(refused.code, 1);
    assert_eq!(nodes(&refused), ["score: skipped -"], "{}", refused.err);
    for expected in [
        "frozen view 'cuts': its definition differs from what was frozen",
        "--> sql/all.sql:6:20",
        "segql run --refreeze cuts computes it anew",
    ] {
        assert!(
            refused.err.contains(expected),
            "{expected}: {}",
            refused.err
        );
    }
    let query = run(folder, &["-c", "SELECT * FROM cuts"]);
    assert_eq!(query.code, 1);
    assert!(query.err.contains("--refreeze cuts"), "{}", query.err);
    let check = run(folder, &["check", "--format", "csv"]);
    assert_eq!(check.code, 1, "{}", check.err);
    assert!(check.out.contains("cuts,frozen,failed,\n"), "{}", check.out);
    assert_eq!(status(folder), "cuts,2024-12-31,edited,3\n");
    // What it is made of is another matter: that is said, and its rows stay.
    replace(
        folder,
        "sql/all.sql",
        "spent, 3) AS cuts",
        "spent, 2) AS cuts",
    );
    replace(
        folder,
        "sql/all.sql",
        "count(*) AS orders",
        "1 + count(*) AS orders",
    );
    assert_eq!(cuts(folder), CUTS);
    let check = run(folder, &["check", "--format", "csv"]);
    assert_eq!(check.code, 0, "{}", check.err);
    assert!(
        check
            .err
            .contains("cuts: rests on what was edited since it was frozen (features)"),
        "{}",
        check.err
    );
    let anew = as_of(folder, "2026-01-31", &["--refreeze", "cuts"]);
    assert_eq!(anew.code, 0, "{}", anew.err);
    assert_eq!(
        cuts(folder),
        "BG,6.0,2.5,20.0\nGB,20.0,2.0,1000.0\nPL,20.0,3.0,150.0\n"
    );
}

#[test]
fn a_variable_with_another_value_is_an_edit() {
    let here = project();
    let folder = here.path();
    replace(
        folder,
        "sql/all.sql",
        "spent, 2) AS cuts",
        "spent, $bins) AS cuts",
    );
    as_of(folder, "2025-12-31", &[]);
    assert_eq!(cuts(folder), CUTS);
    let refused = as_of(folder, "2026-01-31", &["--var", "bins=3"]);
    assert!(
        refused
            .err
            .contains("frozen view 'cuts': $bins is 3, and was 2 when it was frozen"),
        "{}",
        refused.err
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

#[test]
fn two_runs_at_once_freeze_once() {
    let here = project();
    let folder = here.path();
    let started = ["2025-10-31", "2025-11-30", "2025-12-31"].map(|date| {
        let child = segql(folder)
            .args(["run", "--as-of", date])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        child.expect("starts")
    });
    let said: Vec<String> = started
        .into_iter()
        .map(|child| {
            let ended = child.wait_with_output().expect("ends");
            assert!(ended.status.success());
            String::from_utf8_lossy(&ended.stderr).into_owned()
        })
        .collect();
    let froze = said.iter().filter(|err| err.contains("cuts: frozen as of"));
    assert_eq!(froze.count(), 1, "{said:?}");
    assert_eq!(files(frozen(folder)).len(), 2);
    assert_eq!(cuts(folder), CUTS);
}

#[test]
fn kept_rows_do_without_the_files_they_were_made_from() {
    let here = project();
    let folder = here.path();
    write(folder, "data/old.csv", ORDERS);
    replace(
        folder,
        "sql/all.sql",
        "FROM features GROUP BY country",
        "FROM (SELECT country, customer_id, days_since(max(ordered_at)) AS recency_days, count(*) AS orders,\n\
         sum(amount) AS spent FROM old_orders GROUP BY country, customer_id) GROUP BY country",
    );
    write(
        folder,
        "sql/old.sql",
        "CREATE SOURCE old_orders FROM 'data/old.csv' WITH (event_time = 'ordered_at');",
    );
    as_of(folder, "2025-11-30", &[]);
    std::fs::remove_file(folder.join("data/old.csv")).expect("removed");
    assert_eq!(cuts(folder), CUTS);
    let ran = as_of(folder, "2025-12-31", &[]);
    assert_eq!(nodes(&ran), ["score: success 7"], "{}", ran.err);
    assert_eq!(scores(folder, "2025-12-31"), SCORES);
    let anew = as_of(folder, "2025-12-31", &["--refreeze", "cuts"]);
    assert_eq!(anew.code, 1);
    assert!(anew.err.contains("data/old.csv"), "{}", anew.err);
    assert_eq!(cuts(folder), CUTS, "what failed takes nothing away");
}

#[test]
fn damage_is_named_and_mended_by_freezing_anew() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    let record = frozen(folder).join("record.json");
    let kept = std::fs::read(&record).expect("a record");
    let file = files(frozen(folder));
    let file = file
        .iter()
        .find(|it| it.extension().is_some_and(|it| it == "parquet"));
    let file = file.expect("a file");
    let damages: [(&Path, &[u8]); 2] = [(&record, b"{"), (file, b"PAR1")];
    for (path, bytes) in damages {
        std::fs::write(path, bytes).expect("damaged");
        let query = run(folder, &["-c", "SELECT * FROM cuts"]);
        assert_eq!(query.code, 1);
        assert!(
            query
                .err
                .contains("what is kept of frozen view 'cuts' is damaged")
                && query.err.contains("segql run --refreeze cuts"),
            "{}",
            query.err
        );
        assert!(status(folder).contains("damaged"));
        let ran = as_of(folder, "2026-01-31", &[]);
        assert_eq!(ran.code, 1, "it is not computed anew in silence");
        let anew = run(
            folder,
            &["run", "--refreeze", "cuts", "--as-of", "2025-12-31"],
        );
        assert_eq!(anew.code, 0, "{}", anew.err);
        assert_eq!(cuts(folder), CUTS);
    }
    // A file that no record names does not count.
    std::fs::remove_file(&record).expect("removed");
    assert_eq!(status(folder), "cuts,2024-12-31,not yet,\n");
    std::fs::write(&record, kept).expect("written");
    assert_eq!(status(folder), "cuts,2024-12-31,frozen,3\n");
}

/// What an edited frozen view would do is seen before it is frozen anew.
#[test]
fn an_edited_frozen_view_can_be_compared() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    write(folder, "data/orders.csv", &format!("{ORDERS}{LATE}"));
    let diff = |text: &str| {
        write(folder, "trial.sql", text);
        let compared = [
            "diff",
            "score",
            "--as-of",
            "2025-12-31",
            "--against",
            "trial.sql",
        ];
        let ran = run(folder, &[&compared[..], &["--format", "csv"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let moved = ran.out.lines().filter(|it| it.starts_with("moved"));
        moved.map(str::to_owned).collect::<Vec<_>>()
    };
    let view = DEFINITIONS.split("CREATE FROZEN").nth(1).expect("the view");
    let view = view.split(';').next().expect("its end");
    // The same text, the same rows.
    assert!(diff(&format!("CREATE FROZEN{view}")).is_empty());
    // A day later 3 has ordered once more: as it would be frozen with the late order.
    let later = view.replace("'2024-12-31'", "'2025-01-01'");
    let moved = diff(&format!("CREATE FROZEN{later}"));
    assert_eq!(moved, ["moved,122,111,,1,4", "moved,122,112,,1,3"]);
    assert_eq!(cuts(folder), CUTS);
}

#[test]
fn personal_columns_are_not_frozen() {
    let here = project();
    let folder = here.path();
    replace(
        folder,
        "sql/all.sql",
        "event_time = 'ordered_at')",
        "event_time = 'ordered_at', personal = 'amount')",
    );
    let refused = as_of(folder, "2025-12-31", &[]);
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .err
            .contains("frozen view 'cuts' would keep the personal column 'cuts'"),
        "{}",
        refused.err
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
