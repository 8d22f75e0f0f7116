//! What is kept of a frozen view: once, whole, without the files it was made from.

use super::*;

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
