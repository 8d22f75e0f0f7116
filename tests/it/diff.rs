//! `segql diff`: between dates, and against an edited definition.

use crate::command::{Ran, run};
use crate::small_project::{as_of, project, spender, write};

fn diff(folder: &std::path::Path, more: &[&str]) -> Ran {
    run(folder, &[&["diff", "--format", "csv"], more].concat())
}

const HEADER: &str = "change,from_label,to_label,column_name,customers,examples\n";

/// Spent over 40: 10 since February, 12 too since March.
#[test]
fn the_two_latest_snapshots_are_compared() {
    let here = project();
    let none = diff(here.path(), &["spender"]);
    assert_eq!(none.code, 1);
    assert!(
        none.err
            .contains("segment 'spender' has no snapshot to compare"),
        "{}",
        none.err
    );
    as_of(here.path(), "2025-02-28", &["spender"]);
    let one = diff(here.path(), &["spender"]);
    assert!(
        one.err
            .contains("segment 'spender' has no snapshot before 2025-02-28"),
        "{}",
        one.err
    );
    as_of(here.path(), "2025-01-31", &["spender"]);
    as_of(here.path(), "2025-03-31", &["spender"]);
    let ran = diff(here.path(), &["spender"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out,
        format!("{HEADER}before,,,,1,\nafter,,,,2,\nentered,,,,1,12\nleft,,,,0,\nstayed,,,,1,10\n")
    );
    assert!(
        ran.err.contains(
            "spender: 1 (snapshot of 2025-02-28) → 2 (snapshot of 2025-03-31): \
             1 entered, 0 left, 0 moved, 1 stayed"
        ),
        "{}",
        ran.err
    );
    // The latest two as of a date, and the one before another.
    let february = diff(here.path(), &["spender", "--as-of", "2025-03-30"]);
    assert!(
        february.out.contains("entered,,,,1,10\n"),
        "{}",
        february.out
    );
    let to = diff(here.path(), &["spender", "--to", "2025-02-28"]);
    assert_eq!(to.out, february.out, "{}", to.err);
}

#[test]
fn dates_without_a_snapshot_are_evaluated() {
    let here = project();
    let dates = ["--from", "2025-01-31", "--to", "2025-03-31"];
    let compared = |name: &str| diff(here.path(), &[&[name][..], &dates].concat());
    // 10 has 1 order in January, 2 in March; 12 comes in March with 3.
    let regular = compared("regular");
    assert_eq!(
        regular.out,
        format!(
            "{HEADER}before,,,,0,\nafter,,,,2,\nentered,,,,2,\"10, 12\"\nleft,,,,0,\nstayed,,,,0,\n"
        )
    );
    assert!(
        regular
            .err
            .contains("0 (as of 2025-01-31) → 2 (as of 2025-03-31)"),
        "{}",
        regular.err
    );
    // 10 moves from small (20.00) to large (50.00).
    let size = compared("size");
    assert_eq!(
        size.out,
        format!(
            "{HEADER}before,small,,,1,\nafter,,large,,2,\nafter,,small,,1,\n\
             entered,,large,,1,12\nentered,,small,,1,11\nmoved,small,large,,1,10\n"
        )
    );
    // A label is a segment of its own.
    let large = compared("size:large");
    assert!(
        large.out.contains("entered,,,,2,\"10, 12\"\nleft,,,,0,\n"),
        "{}",
        large.out
    );
    // The same whether snapshots are read or not.
    as_of(here.path(), "2025-01-31", &[]);
    as_of(here.path(), "2025-03-31", &[]);
    for (name, before) in [("regular", regular), ("size", size), ("size:large", large)] {
        let again = compared(name);
        assert_eq!(again.out, before.out, "{name}");
        assert!(
            again.err.contains("snapshot of 2025-01-31"),
            "{}",
            again.err
        );
    }
    // From a date up to the as-of.
    let until = ["regular", "--from", "2025-02-28", "--as-of", "2025-03-31"];
    let ran = diff(here.path(), &until);
    assert!(ran.out.contains("entered,,,,1,12\n"), "{}", ran.out);
    assert!(ran.out.contains("stayed,,,,1,10\n"), "{}", ran.out);
    let wrong = diff(
        here.path(),
        &["regular", "--from", "2025-03-31", "--to", "2025-01-31"],
    );
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .err
            .contains("--from 2025-03-31 is later than --to 2025-01-31"),
        "{}",
        wrong.err
    );
}

#[test]
fn an_edited_definition_is_compared_before_it_is_saved() {
    let here = project();
    let march = ["--as-of", "2025-03-31"];
    let against = |more: &[&str]| diff(here.path(), &[&march, more].concat());
    // Over 60 there is only 12, with 100.00.
    let expected =
        format!("{HEADER}before,,,,2,\nafter,,,,1,\nentered,,,,0,\nleft,,,,1,10\nstayed,,,,1,12\n");
    let query = "SELECT customer_id FROM totals WHERE spent > 60";
    let typed = against(&["spender", "--as", query]);
    assert_eq!(typed.out, expected, "{}", typed.err);
    assert!(
        typed
            .err
            .contains("spender: 2 (as defined) → 1 (as edited)"),
        "{}",
        typed.err
    );
    let files = [
        ("query.sql", query.to_owned()),
        ("same.sql", format!("CREATE SEGMENT spender AS {query};")),
        (
            "other.sql",
            format!("-- Trial.\nCREATE OR REPLACE SEGMENT spender_new AS {query}"),
        ),
        // What the segment builds on may be edited as well: 10 has 50.00 without 90 % of it.
        (
            "below.sql",
            "CREATE VIEW totals AS SELECT customer_id, count(*) AS orders,
               sum(CASE customer_id WHEN 10 THEN amount / 10 ELSE amount END) AS spent
             FROM orders GROUP BY customer_id"
                .to_owned(),
        ),
    ];
    for (file, text) in files {
        write(here.path(), file, &text);
        let ran = against(&["spender", "--against", file]);
        assert_eq!(ran.out, expected, "{file}: {}", ran.err);
    }
    write(
        here.path(),
        "else.sql",
        "CREATE VIEW unrelated AS SELECT 1 AS x",
    );
    let ran = against(&["spender", "--against", "else.sql"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("this defines neither spender nor anything that it builds on"),
        "{}",
        ran.err
    );
    let ran = against(&["spender", "--as", "SELECT customer_id FROM totls"]);
    assert!(ran.err.contains("did you mean 'totals'"), "{}", ran.err);
    assert!(ran.err.contains("--> --as:1:25"), "{}", ran.err);
    assert!(!here.path().join("store").exists(), "nothing is kept");
}

#[test]
fn a_difference_ends_with_3_where_it_is_asked_for() {
    let here = project();
    let march = ["spender", "--as-of", "2025-03-31", "--exit-code", "--as"];
    let code = |query: &str, more: &[&str]| {
        let ran = diff(here.path(), &[&march[..], &[query], more].concat());
        (ran.code, ran.err)
    };
    let same = "SELECT customer_id FROM totals WHERE spent >= 41";
    assert_eq!(code(same, &[]).0, 0);
    assert_eq!(code(same, &["--rows"]).0, 0);
    let other = "SELECT customer_id FROM totals WHERE spent >= 60";
    let (exit, error) = code(other, &[]);
    assert_eq!(exit, 3);
    assert!(error.contains("spender differs"), "{error}");
    assert_eq!(code(other, &["--rows", "--quiet"]).0, 3);
    assert_eq!(code("SELECT nothing", &[]).0, 1);
}

#[test]
fn a_row_for_each_key_keeps_the_type_of_the_key() {
    let here = project();
    let dates = ["--from", "2025-01-31", "--to", "2025-03-31"];
    let rows = run(
        here.path(),
        &[&["diff", "size", "--rows", "--format", "json"][..], &dates].concat(),
    );
    let rows: serde_json::Value = serde_json::from_str(&rows.out).expect("a document");
    assert_eq!(
        rows,
        serde_json::json!([
            {"customer_id": 10, "change": "moved", "from_label": "small", "to_label": "large"},
            {"customer_id": 11, "change": "entered", "from_label": null, "to_label": "small"},
            {"customer_id": 12, "change": "entered", "from_label": null, "to_label": "large"},
        ])
    );
    let few = diff(
        here.path(),
        &[&["regular", "--limit", "1"][..], &dates].concat(),
    );
    assert!(few.out.contains("entered,,,,2,10\n"), "{}", few.out);
}

#[test]
fn personal_columns_are_neither_shown_nor_compared() {
    let here = project();
    write(
        here.path(),
        "data/people.csv",
        "customer_id,email,city\n10,ola@example.com,Łódź\n12,ala@example.com,Sofia\n",
    );
    write(
        here.path(),
        "sql/people.sql",
        "CREATE SOURCE people FROM 'data/people.csv' WITH (key = 'customer_id', personal = 'email');\n\
         CREATE SEGMENT contacts AS SELECT customer_id, email, city FROM people;\n",
    );
    let edited = "SELECT customer_id, upper(email) AS email, lower(city) AS city FROM people";
    let ran = diff(here.path(), &["contacts", "--as", edited]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("changed,,,city,2,\"10, 12\"\n"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("email") && !ran.err.contains("example.com"));
}

/// What a diff foretells is what a run then finds.
#[test]
fn a_restated_day_differs_as_foretold() {
    let here = project();
    as_of(here.path(), "2025-03-31", &["spender"]);
    let foretold = diff(
        here.path(),
        &[
            "spender",
            "--as-of",
            "2025-03-31",
            "--as",
            "SELECT customer_id FROM totals WHERE spent > 4",
        ],
    );
    assert!(
        foretold.out.contains("entered,,,,1,11\n"),
        "{}",
        foretold.out
    );
    spender(here.path(), "spent > 4");
    let refused = as_of(here.path(), "2025-03-31", &["spender"]);
    assert!(
        refused.err.contains("1 enter, 0 leave, 2 → 3 members"),
        "{}",
        refused.err
    );
}

/// Half a million on each side, with less memory than it takes to hold one of them.
#[test]
fn a_comparison_larger_than_memory_goes_on_in_temporary_files() {
    let here = tempfile::tempdir().expect("a folder");
    let script = "
        CREATE SEGMENTATION tiers WITH (key = 'id') AS
          SELECT value AS id, 'tier ' || (value % 10) AS label, value * 3 AS spent
          FROM generate_series(1, 500000) AS t (value) WHERE value % 10 <> 1;
        DIFF SEGMENTATION tiers AS
          SELECT value AS id, 'tier ' || ((value + 1) % 10) AS label, value * 3 AS spent
          FROM generate_series(1, 500000) AS t (value) WHERE value % 10 <> 2;";
    let ran = run(
        here.path(),
        &["--memory-limit", "200MB", "--format", "csv", "-c", script],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    let of = |change: &str| lines.iter().filter(|it| it.starts_with(change)).count();
    assert_eq!(
        (
            of("before"),
            of("after"),
            of("moved"),
            of("stayed"),
            of("changed")
        ),
        (9, 9, 8, 0, 0)
    );
    for line in [
        "entered,,tier 2,,50000,\"1, 11, 21, 31, 41\"",
        "left,tier 2,,,50000,\"2, 12, 22, 32, 42\"",
        "moved,tier 9,tier 0,,50000,\"9, 19, 29, 39, 49\"",
    ] {
        assert!(lines.contains(&line), "{line} in {}", ran.out);
    }
}
