//! Guard rails through `segql run` and `segql check`.

use crate::command::run;
use crate::small_project::{add, as_of, files, json, members, nodes, project, write};

/// Everyone so far: 10 in January, 11 too in February, 12 too in March.
fn with_guard_rails() -> tempfile::TempDir {
    let here = project();
    write(
        here.path(),
        "sql/guarded.sql",
        "CREATE SEGMENT growing WITH (max_change = '50%') AS SELECT customer_id FROM totals;\n\
         CREATE SEGMENT few WITH (max_size = 2) AS SELECT customer_id FROM totals;\n\
         CREATE SEGMENT many WITH (min_size = 2) AS SELECT customer_id FROM totals;\n\
         CREATE SEGMENT above AS SELECT customer_id FROM many;\n\
         CREATE SEGMENTATION worth LABELS (large WITH (min_size = 1), small WITH (max_change = 0.5)) AS\n\
           SELECT customer_id, CASE WHEN spent > 40 THEN 'large' ELSE 'small' END AS label FROM totals;\n",
    );
    here
}

const GUARDED: [&str; 5] = ["growing", "few", "many", "above", "worth"];

#[test]
fn guard_rails_stop_snapshots() {
    let here = with_guard_rails();
    let january = as_of(here.path(), "2025-01-31", &GUARDED);
    assert_eq!(january.code, 1);
    let found = nodes(&january);
    for expected in [
        "growing: success 1",
        "few: success 1",
        "many: error -",
        "above: skipped -",
        "worth: error -",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
    for expected in [
        "many has 1 members, fewer than min_size = 2 allows",
        "worth:large has 0 members, fewer than min_size = 1 allows",
        "--force, or MATERIALIZE … WITH (force = true), writes it all the same",
    ] {
        assert!(
            january.err.contains(expected),
            "{expected} in {}",
            january.err
        );
    }
    assert!(!here.path().join("store/many").exists());
    // 10 spent 50.00 by now, and is large.
    let february = as_of(here.path(), "2025-02-28", &GUARDED);
    let found = nodes(&february);
    for expected in [
        "growing: error -",
        "few: success 2",
        "many: success 2",
        "worth: success 2",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
    assert!(
        february
            .err
            .contains("growing changes by 100.0 % (1 enter, 0 leave, of 1), more than max_change = 50 % allows"),
        "{}",
        february.err
    );
    // In March small loses nobody; few has one too many; of growing the latest
    // earlier snapshot is that of January.
    let march = as_of(here.path(), "2025-03-31", &GUARDED);
    let found = nodes(&march);
    for expected in [
        "growing: error -",
        "few: error -",
        "many: success 3",
        "worth: success 3",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
    assert!(
        march.err.contains("(2 enter, 0 leave, of 1)"),
        "{}",
        march.err
    );
    assert!(
        march
            .err
            .contains("few has 3 members, more than max_size = 2")
    );
    assert_eq!(files(here.path().join("store/_segql/staged")).len(), 0);
}

#[test]
fn force_goes_past_guard_rails_and_is_recorded() {
    let here = with_guard_rails();
    as_of(here.path(), "2025-01-31", &["growing"]);
    let forced = as_of(here.path(), "2025-02-28", &["growing", "--force"]);
    assert_eq!(nodes(&forced), ["growing: success 2"], "{}", forced.err);
    let reason = json(&forced)["nodes"][0]["reason"].clone();
    let reason = reason.as_str().expect("a reason");
    assert!(
        reason.contains("forced: growing changes by 100.0 %"),
        "{reason}"
    );
    let record = here
        .path()
        .join("store/_segql/snapshots/growing/2025-02-28.json");
    let record = std::fs::read_to_string(record).expect("a record");
    assert!(
        record.contains("\"forced\": \"growing changes by"),
        "{record}"
    );
    // What was forced is there: nothing to do, and March is held against it.
    let again = as_of(here.path(), "2025-02-28", &["growing"]);
    assert_eq!(nodes(&again), ["growing: unchanged 2"], "{}", again.err);
    let march = as_of(here.path(), "2025-03-31", &["growing"]);
    assert_eq!(nodes(&march), ["growing: success 3"], "one of two is 50 %");
}

#[test]
fn a_guard_rail_keeps_the_good_snapshot() {
    let here = with_guard_rails();
    let few = |more: &[&str]| as_of(here.path(), "2025-02-28", &[&["few"][..], more].concat());
    assert_eq!(nodes(&few(&[])), ["few: success 2"]);
    let file = members(here.path(), "few", "2025-02-28");
    let before = std::fs::read(&file).expect("a snapshot");
    add(here.path(), "7,13,2025-02-20 10:00:00,5.00");
    // Neither of the two says what the other says.
    for (options, expected) in [
        (&["--restate"], "max_size = 2"),
        (&["--force"], "is finished and would change"),
    ] {
        let refused = few(options);
        assert_eq!(nodes(&refused), ["few: error -"]);
        assert!(refused.err.contains(expected), "{}", refused.err);
        assert_eq!(std::fs::read(&file).expect("a snapshot"), before);
    }
    assert_eq!(nodes(&few(&["--restate", "--force"])), ["few: success 3"]);
}

#[test]
fn check_says_what_guard_rails_would() {
    let here = with_guard_rails();
    let check = ["check", "--as-of", "2025-03-31", "--format", "csv"];
    let ran = run(here.path(), &check);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.out.contains("few,guard rails,failed,\n"), "{}", ran.out);
    assert!(
        ran.out.contains("many,guard rails,passed,0\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("worth,guard rails,passed,0\n"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("few has 3 members"), "{}", ran.err);
    assert!(!here.path().join("store").exists(), "a check keeps nothing");
}

#[test]
fn strict_checks_fall_short_of_warnings() {
    let here = project();
    // One row per customer and a time that is that of the last change.
    write(
        here.path(),
        "data/customers.csv",
        "customer_id,updated_at\n10,2025-01-01 00:00:00\n11,2025-02-01 00:00:00\n",
    );
    write(
        here.path(),
        "sql/more.sql",
        "CREATE SOURCE profiles FROM 'data/customers.csv' WITH (key = 'customer_id', event_time = 'updated_at');\n",
    );
    let check = ["check", "--as-of", "2025-03-31", "--format", "csv"];
    let ran = run(here.path(), &check);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("profiles,event time,warning,\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains("warning: profiles:") && ran.err.contains("latest_by = 'updated_at'"),
        "{}",
        ran.err
    );
    let strict = run(here.path(), &[&check[..], &["--strict"]].concat());
    assert_eq!(strict.code, 3);
    assert_eq!(strict.out, ran.out);
}
