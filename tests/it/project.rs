//! Projects: runs, records, failures that stay where they are.

use crate::command::{Ran, run, segql};
use crate::small_project::{json, nodes, project, write};

#[test]
fn a_run_writes_snapshots_and_a_second_one_does_nothing() {
    let here = project();
    let as_of = ["run", "--as-of", "2025-03-31", "--format", "json"];
    let first = run(here.path(), &as_of);
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!(
        nodes(&first),
        [
            "regular: success 2",
            "spender: success 2",
            "both_of_them: success 2",
            "size: success 3"
        ]
    );
    assert_eq!(
        json(&first)["nodes"][3]["labels"],
        serde_json::json!({"large": 2, "small": 1})
    );
    let file = here
        .path()
        .join("store/regular/as_of=2025-03-31/members.parquet");
    let bytes = std::fs::read(&file).expect("a snapshot");
    let second = run(here.path(), &as_of);
    assert!(
        nodes(&second)
            .iter()
            .all(|node| node.contains(": unchanged ")),
        "{:?}",
        nodes(&second)
    );
    // Another store, more threads: the same bytes.
    let other = ["--store", "other", "--threads", "5"];
    let again = run(here.path(), &[&as_of[..], &other[..]].concat());
    assert_eq!(again.code, 0, "{}", again.err);
    let copy = here
        .path()
        .join("other/regular/as_of=2025-03-31/members.parquet");
    assert_eq!(std::fs::read(copy).expect("a snapshot"), bytes);
}

#[test]
fn the_past_is_what_it_was() {
    let here = project();
    let run_at = |date: &str| {
        run(
            here.path(),
            &[
                "run", "--as-of", date, "--format", "json", "size", "regular",
            ],
        )
    };
    assert_eq!(
        nodes(&run_at("2025-01-31")),
        ["regular: success 0", "size: success 1"]
    );
    assert_eq!(
        nodes(&run_at("2025-02-28")),
        ["regular: success 1", "size: success 2"]
    );
    // The order at 23:30 of the last day is in: a date means its end.
    assert_eq!(
        nodes(&run_at("2025-03-31")),
        ["regular: success 2", "size: success 3"]
    );
    let query = "SELECT (SELECT count(*) FROM members('size', DATE '2025-01-31')) AS then,
                        (SELECT count(*) FROM members('size', DATE '2025-02-28')) AS later,
                        (SELECT count(*) FROM members('size', DATE '2025-02-09')) AS unsaved";
    let ran = run(here.path(), &["--format", "csv", "-c", query]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "then,later,unsaved\n1,2,1\n"),
        "{}",
        ran.err
    );
    let entered = "SELECT as_of, key, entered_on FROM segql.members WHERE segment = 'size' AND label = 'large' ORDER BY 1, 2";
    let ran = run(here.path(), &["--format", "csv", "-c", entered]);
    let expected = "as_of,key,entered_on\n2025-02-28,10,2025-02-28\n2025-03-31,10,2025-02-28\n2025-03-31,12,2025-03-31\n";
    assert_eq!(ran.out, expected, "{}", ran.err);
}

#[test]
fn changes_are_noticed() {
    let here = project();
    let as_of = ["run", "--as-of", "2025-03-31", "--format", "json"];
    run(here.path(), &as_of);
    let segments = here.path().join("sql/a_segments.sql");
    let text = std::fs::read_to_string(&segments)
        .expect("there")
        .replace("spent > 40;", "spent > 60;");
    std::fs::write(&segments, text).expect("writes");
    // A finished day is not said anew in silence.
    let refused = run(here.path(), &as_of);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains(
            "the snapshot of spender as of 2025-03-31 is finished and would change: 0 enter, 1 leave, 2 → 1 members"
        ) && refused.err.contains("--restate"),
        "{}",
        refused.err
    );
    let members = here
        .path()
        .join("store/spender/as_of=2025-03-31/members.parquet");
    let before = std::fs::read(&members).expect("a snapshot");
    let changed = run(here.path(), &[&as_of[..], &["--restate"]].concat());
    assert_eq!(
        nodes(&changed),
        [
            "regular: unchanged 2",
            "spender: success 1",
            "both_of_them: success 1",
            "size: unchanged 3"
        ]
    );
    // The old version stays, with its record.
    assert_ne!(std::fs::read(&members).expect("a snapshot"), before);
    let versions = here.path().join("store/_segql/versions/spender");
    let files = std::fs::read_dir(versions).expect("versions").flatten();
    let kept = files.filter(|file| std::fs::read(file.path()).expect("reads") == before);
    let kept: Vec<_> = kept.map(|file| file.path()).collect();
    assert_eq!(kept.len(), 1);
    let record = std::fs::read_to_string(kept[0].with_extension("json")).expect("a record");
    assert!(record.contains("spent > 40"), "{record}");
    let again = ["--var", "many=3", "--restate"];
    let variable = run(here.path(), &[&as_of[..], &again].concat());
    assert_eq!(nodes(&variable)[0], "regular: success 1");
    assert_eq!(nodes(&variable)[1], "spender: unchanged 1");
}

#[test]
fn a_failure_stays_where_it_is() {
    let here = project();
    write(
        here.path(),
        "sql/broken.sql",
        "CREATE SEGMENT twice AS SELECT customer_id FROM orders;\n\
         CREATE SEGMENT above AS SELECT customer_id FROM twice;\n\
         CREATE VIEW unsound AS SELECT customer_id, nothing FROM totals;\n\
         CREATE SEGMENT below AS SELECT customer_id FROM unsound;\n",
    );
    let ran = run(
        here.path(),
        &["run", "--as-of", "2025-03-31", "--format", "json"],
    );
    assert_eq!(ran.code, 1);
    let nodes = nodes(&ran);
    for expected in [
        "twice: error -",
        "above: skipped -",
        "below: error -",
        "size: success 3",
    ] {
        assert!(
            nodes.contains(&expected.to_owned()),
            "{expected} in {nodes:?}"
        );
    }
    assert!(
        ran.err.contains("more than one row for some keys: 10, 12"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("sql/broken.sql:3:44"), "{}", ran.err);
    let check = run(here.path(), &["check", "--as-of", "2025-03-31"]);
    assert_eq!(check.code, 1, "{}", check.err);
}

#[test]
fn checks_that_hold_end_in_0_and_others_in_3() {
    let here = project();
    let ran = run(
        here.path(),
        &["check", "--format", "csv", "--as-of", "2025-03-31"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("no_gifts,check,passed,0\n"), "{}", ran.out);
    assert!(ran.out.contains("regular,key,passed,0\n"), "{}", ran.out);
    write(
        here.path(),
        "sql/more.sql",
        "CREATE CHECK cheap AS SELECT * FROM orders WHERE amount < 6;",
    );
    let ran = run(
        here.path(),
        &["check", "--format", "csv", "--as-of", "2025-03-31"],
    );
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("cheap,check,violated,2\n"), "{}", ran.out);
}

#[test]
fn mistakes_in_a_project_are_named_with_their_place() {
    for (text, expected) in [
        (
            "CREATE SEGMENT s AS SELECT customer_id FROM totls;",
            "sql/x.sql:1:45",
        ),
        (
            "CREATE SEGMENT a AS SELECT * FROM b;\nCREATE VIEW b AS SELECT * FROM a;",
            "a → b → a",
        ),
        (
            "CREATE SEGMENT s AS SELECT * FROM 'data/orders.csv';",
            "read sources, not files",
        ),
    ] {
        let here = project();
        write(here.path(), "sql/x.sql", text);
        let ran = run(
            here.path(),
            &["run", "--as-of", "2025-03-31", "--format", "json"],
        );
        assert_eq!(ran.code, 1, "{text}");
        assert!(ran.err.contains(expected), "{expected} in {}", ran.err);
        // What does not build on the mistake goes on.
        assert!(
            nodes(&ran).contains(&"size: success 3".to_owned()),
            "{:?}",
            nodes(&ran)
        );
        let check = run(here.path(), &["check", "--as-of", "2025-03-31"]);
        assert_eq!(check.code, 1, "{text}");
        assert!(check.err.contains(expected), "{expected} in {}", check.err);
    }
}

#[test]
fn files_that_cannot_be_read_stop_everything() {
    for (text, expected) in [
        (
            "CREATE VIEW totals AS SELECT 1 AS x;",
            "totals' is defined already, at sql/x.sql:1",
        ),
        ("SELECT 1;", "definitions only"),
        ("CREATE SEGMENT s AS SELECT 'a;", "unterminated string"),
    ] {
        let here = project();
        write(here.path(), "sql/x.sql", text);
        let ran = run(here.path(), &["run", "--as-of", "2025-03-31"]);
        assert_eq!(ran.code, 1, "{text}");
        assert!(ran.err.contains(expected), "{expected} in {}", ran.err);
        assert!(!here.path().join("store").exists(), "nothing is written");
    }
}

#[test]
fn selectors_choose() {
    let here = project();
    let chosen = |selector: &str| {
        let ran = run(
            here.path(),
            &[
                "run",
                "--as-of",
                "2025-03-31",
                "--format",
                "json",
                "--dry-run",
                selector,
            ],
        );
        assert_eq!(ran.code, 0, "{selector}: {}", ran.err);
        nodes(&ran)
            .iter()
            .map(|node| node.split(':').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(chosen("spender"), ["spender"]);
    assert_eq!(
        chosen("+both_of_them"),
        ["regular", "spender", "both_of_them"]
    );
    assert_eq!(chosen("regular+"), ["regular", "both_of_them"]);
    assert_eq!(chosen("kind:segmentation"), ["size"]);
    assert_eq!(chosen("size:large"), ["size"]);
    assert!(
        !here.path().join("store").exists(),
        "a dry run writes nothing"
    );
    let ran = run(here.path(), &["run", "spendr"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean 'spender'?"), "{}", ran.err);
    assert_eq!(
        run(here.path(), &["run", "--allow-empty", "spendr"]).code,
        0
    );
}

#[test]
fn a_run_cut_off_leaves_nothing_half_done() {
    let here = project();
    let as_of = ["run", "--as-of", "2025-03-31", "--format", "json"];
    run(here.path(), &as_of);
    // A file that took its place but whose record was not written: the old
    // snapshot still counts, and the next run puts things right.
    let members = here
        .path()
        .join("store/regular/as_of=2025-03-31/members.parquet");
    std::fs::copy(
        here.path()
            .join("store/size/as_of=2025-03-31/members.parquet"),
        &members,
    )
    .expect("copies");
    let ran = run(here.path(), &as_of);
    assert_eq!(nodes(&ran)[0], "regular: success 2");
    let staged = here.path().join("store/_segql/staged");
    assert!(std::fs::read_dir(staged).map_or(0, Iterator::count) == 0);
}

#[test]
fn what_a_killed_run_left_is_swept_a_day_later() {
    let here = project();
    let staged = |name: &str| here.path().join("store/_segql/staged").join(name);
    write(here.path(), "store/_segql/staged/old.parquet", "torn");
    write(
        here.path(),
        "store/_segql/staged/new.parquet",
        "someone's work",
    );
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(90_000);
    let old = std::fs::File::options()
        .write(true)
        .open(staged("old.parquet"));
    old.and_then(|file| file.set_modified(long_ago))
        .expect("ages");
    let ran = run(here.path(), &["run", "--as-of", "2025-03-31"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!staged("old.parquet").exists());
    assert!(staged("new.parquet").exists());
}

#[test]
fn settings_come_from_flag_environment_and_file() {
    let here = project();
    let zone = "SELECT as_of_ts() AS t";
    let ask = |environment: &[(&str, &str)], arguments: &[&str]| -> String {
        let mut command = segql(here.path());
        command.envs(environment.iter().copied()).args(arguments);
        let ran: Ran = command
            .args(["--format", "csv", "-c", zone])
            .output()
            .expect("starts")
            .into();
        ran.out.lines().nth(1).unwrap_or(&ran.err).to_owned()
    };
    write(
        here.path(),
        "segql.toml",
        "time_zone = \"Europe/Warsaw\"\nas_of = \"2025-06-30\"\n",
    );
    assert_eq!(ask(&[], &[]), "2025-06-30T23:59:59.999999999+02:00");
    let environment = [("SEGQL_TIME_ZONE", "Europe/Sofia")];
    assert_eq!(
        ask(&environment, &[]),
        "2025-06-30T23:59:59.999999999+03:00"
    );
    assert_eq!(
        ask(&environment, &["--time-zone", "UTC"]),
        "2025-06-30T23:59:59.999999999Z"
    );
}
