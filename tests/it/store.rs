//! The store as a user meets it: what is unchanged, provisional, restated or
//! stopped by a guard rail, and what is left when something goes wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{Ran, run, segql};
use crate::project::{json, nodes, project, write};

/// `segql run` with its record as JSON.
fn as_of(folder: &Path, date: &str, more: &[&str]) -> Ran {
    let run_json = ["run", "--format", "json", "--as-of", date];
    run(folder, &[&run_json[..], more].concat())
}

/// The snapshots of a segment: date, size, and whether it is provisional.
fn snapshots(folder: &Path, segment: &str) -> String {
    let query = format!(
        "SELECT as_of, size, provisional FROM segql.snapshots WHERE segment = '{segment}' ORDER BY as_of"
    );
    rows(folder, &query)
}

/// The rows of a query as CSV, without the header.
fn rows(folder: &Path, query: &str) -> String {
    let ran = run(folder, &["--format", "csv", "-c", query]);
    assert_eq!(ran.code, 0, "{query}: {}", ran.err);
    let (_, rows) = ran.out.split_once('\n').expect("a header");
    rows.to_owned()
}

/// Gives the segment `spender` another condition in the place of `spent > …;`.
fn spender(folder: &Path, condition: &str) {
    let file = folder.join("sql/a_segments.sql");
    let text = std::fs::read_to_string(&file).expect("there");
    let start = text.find("SEGMENT spender").expect("the segment");
    let start = start + text[start..].find("WHERE ").expect("its condition") + 6;
    let end = start + text[start..].find(';').expect("its end");
    let text = format!("{}{condition}{}", &text[..start], &text[end..]);
    std::fs::write(file, text).expect("writes");
}

fn members(folder: &Path, segment: &str, date: &str) -> PathBuf {
    folder.join(format!("store/{segment}/as_of={date}/members.parquet"))
}

fn add(folder: &Path, order: &str) {
    let orders = folder.join("data/orders.csv");
    let text = std::fs::read_to_string(&orders).expect("there");
    std::fs::write(orders, format!("{text}{order}\n")).expect("writes");
}

/// Files in a folder; none when it is not there.
fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[test]
fn what_comes_after_the_as_of_does_not_matter() {
    let here = project();
    let first = as_of(here.path(), "2025-02-28", &["regular"]);
    assert_eq!(nodes(&first), ["regular: success 1"], "{}", first.err);
    let file = members(here.path(), "regular", "2025-02-28");
    let before = std::fs::read(&file).expect("a snapshot");
    add(here.path(), "7,11,2025-03-15 10:00:00,5.00");
    let later = as_of(here.path(), "2025-02-28", &["regular"]);
    assert_eq!(nodes(&later), ["regular: unchanged 1"], "{}", later.err);
    // A late arrival with an earlier time does: 11 bought twice by then.
    add(here.path(), "8,11,2025-02-15 10:00:00,5.00");
    let late = as_of(here.path(), "2025-02-28", &["regular"]);
    assert_eq!(late.code, 1);
    assert!(
        late.err.contains("1 enter, 0 leave, 1 → 2 members") && late.err.contains("--restate"),
        "{}",
        late.err
    );
    assert_eq!(std::fs::read(&file).expect("a snapshot"), before);
}

#[test]
fn a_day_that_is_not_over_is_replaced_freely() {
    let here = project();
    // Yesterday on the first island to see a day is not over on the last one.
    let (first, last) = ("Pacific/Kiritimati", "Pacific/Pago_Pago");
    let ask = [
        "--as-of",
        "yesterday",
        "--time-zone",
        first,
        "--format",
        "csv",
    ];
    let asked = run(here.path(), &[&ask[..], &["-c", "SELECT as_of()"]].concat());
    let day = asked.out.lines().nth(1).expect("a date");
    let there = |zone: &str| as_of(here.path(), day, &["spender", "--time-zone", zone]);
    let note = format!("the day {day} is not over: its snapshots are provisional");
    // Spent in all: 10 has 50.00, 11 has 5.00, 12 has 100.00.
    let early = there(last);
    assert_eq!(nodes(&early), ["spender: success 2"], "{}", early.err);
    assert!(early.err.contains(&note), "{}", early.err);
    assert_eq!(snapshots(here.path(), "spender"), format!("{day},2,true\n"));
    spender(here.path(), "spent > 60");
    assert_eq!(nodes(&there(last)), ["spender: success 1"]);
    assert_eq!(snapshots(here.path(), "spender"), format!("{day},1,true\n"));
    let versions = here.path().join("store/_segql/versions/spender");
    assert_eq!(files(versions).len(), 1, "what was provisional is gone");
    // Where the day is over it is finished, and stays.
    let over = there(first);
    assert_eq!(nodes(&over), ["spender: success 1"]);
    assert!(!over.err.contains("provisional"), "{}", over.err);
    assert_eq!(
        snapshots(here.path(), "spender"),
        format!("{day},1,false\n")
    );
    spender(here.path(), "spent > 4");
    for zone in [first, last] {
        let refused = there(zone);
        assert_eq!(nodes(&refused), ["spender: error -"]);
        assert!(
            refused.err.contains("2 enter, 0 leave, 1 → 3 members"),
            "{}",
            refused.err
        );
    }
    assert_eq!(
        snapshots(here.path(), "spender"),
        format!("{day},1,false\n")
    );
}

#[test]
fn a_part_of_a_day_gives_way_to_all_of_it() {
    let here = project();
    // The order at 23:30 makes 12 a spender.
    let part = as_of(here.path(), "2025-03-31 12:00:00", &["spender"]);
    assert_eq!(nodes(&part), ["spender: success 1"], "{}", part.err);
    assert_eq!(snapshots(here.path(), "spender"), "2025-03-31,1,true\n");
    let whole = as_of(here.path(), "2025-03-31", &["spender"]);
    assert_eq!(nodes(&whole), ["spender: success 2"], "{}", whole.err);
    let part = as_of(
        here.path(),
        "2025-03-31 12:00:00",
        &["spender", "--restate"],
    );
    assert_eq!(nodes(&part), ["spender: error -"]);
    assert!(part.err.contains("would cut short"), "{}", part.err);
    assert_eq!(snapshots(here.path(), "spender"), "2025-03-31,2,false\n");
}

#[test]
fn every_version_of_a_finished_day_is_kept() {
    let here = project();
    let mut ids = vec![];
    // 10 and 12; 12; everyone; and back again.
    for (condition, size) in [
        ("spent > 40", 2),
        ("spent > 60", 1),
        ("spent > 4", 3),
        ("spent > 60", 1),
    ] {
        spender(here.path(), condition);
        let ran = as_of(here.path(), "2025-03-31", &["spender", "--restate"]);
        assert_eq!(
            nodes(&ran),
            [format!("spender: success {size}")],
            "{}",
            ran.err
        );
        ids.push(
            rows(here.path(), "SELECT id FROM segql.snapshots")
                .trim()
                .to_owned(),
        );
    }
    assert_eq!(ids[1], ids[3], "the same members have the same id");
    let versions = here.path().join("store/_segql/versions/spender");
    for (id, keys) in [(&ids[0], "10\n12\n"), (&ids[2], "10\n11\n12\n")] {
        let file = versions.join(format!("2025-03-31-{id}.parquet"));
        let query = format!("SELECT * FROM '{}' ORDER BY customer_id", file.display());
        assert_eq!(rows(here.path(), &query), keys);
        let record = std::fs::read_to_string(file.with_extension("json")).expect("a record");
        assert!(record.contains("\"as_of\": \"2025-03-31\""), "{record}");
    }
    assert_eq!(snapshots(here.path(), "spender"), "2025-03-31,1,false\n");
    // The same members by another condition are no other result.
    spender(here.path(), "spent > 70");
    let ran = as_of(here.path(), "2025-03-31", &["spender"]);
    assert_eq!(nodes(&ran), ["spender: unchanged 1"], "{}", ran.err);
}

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

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let here = project();
    let start = |_| {
        let mut command = segql(here.path());
        command.args(["run", "--as-of", "2025-03-31", "--format", "json"]);
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        pipes.spawn().expect("starts")
    };
    let children: Vec<_> = (0..4).map(start).collect();
    for child in children {
        let ran: Ran = child.wait_with_output().expect("ends").into();
        assert_eq!(ran.code, 0, "{}", ran.err);
        // Whoever comes late finds it done.
        let all: Vec<String> = nodes(&ran)
            .iter()
            .map(|node| node.replace("unchanged", "success"))
            .collect();
        assert_eq!(
            all,
            [
                "regular: success 2",
                "spender: success 2",
                "both_of_them: success 2",
                "size: success 3"
            ]
        );
    }
    assert_eq!(files(here.path().join("store/_segql/staged")).len(), 0);
    assert_eq!(files(here.path().join("store/_segql/runs")).len(), 4);
    let after = as_of(here.path(), "2025-03-31", &[]);
    assert!(
        nodes(&after)
            .iter()
            .all(|node| node.contains(": unchanged ")),
        "{:?}",
        nodes(&after)
    );
}

#[test]
fn a_store_that_cannot_be_one_is_told() {
    let here = project();
    write(here.path(), "taken", "a file");
    let file = as_of(here.path(), "2025-03-31", &["--store", "taken"]);
    assert_eq!((file.code, file.out.as_str()), (2, ""));
    assert!(
        file.err.contains("'taken' is a file, not a folder"),
        "{}",
        file.err
    );
    let below = as_of(here.path(), "2025-03-31", &["--store", "taken/store"]);
    assert_eq!(below.code, 1);
    assert!(below.err.contains("taken/store"), "{}", below.err);
    assert_eq!(
        std::fs::read_to_string(here.path().join("taken")).expect("there"),
        "a file"
    );
}

#[test]
fn one_place_that_is_taken_stops_one_segment() {
    let here = project();
    // A file where the folder of a segment belongs.
    write(here.path(), "store/spender", "in the way");
    let ran = as_of(here.path(), "2025-03-31", &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        nodes(&ran),
        [
            "regular: success 2",
            "spender: error -",
            "both_of_them: skipped -",
            "size: success 3"
        ]
    );
    assert_eq!(snapshots(here.path(), "spender"), "");
    assert_eq!(files(here.path().join("store/_segql/staged")).len(), 0);
    std::fs::remove_file(here.path().join("store/spender")).expect("there");
    let healed = as_of(here.path(), "2025-03-31", &[]);
    assert_eq!(
        nodes(&healed),
        [
            "regular: unchanged 2",
            "spender: success 2",
            "both_of_them: success 2",
            "size: unchanged 3"
        ],
        "{}",
        healed.err
    );
}

/// A project with a segment of 20,000, which takes more than 100 kB.
#[cfg(unix)]
fn with_a_crowd() -> tempfile::TempDir {
    use std::fmt::Write as _;

    let here = project();
    let mut rows = "customer_id,x\n".to_owned();
    for number in 0_u64..20_000 {
        let _ = writeln!(rows, "{number},{}", number * number * 7919 % 1_000_003);
    }
    write(here.path(), "data/many.csv", &rows);
    write(
        here.path(),
        "sql/crowd.sql",
        "CREATE SOURCE many FROM 'data/many.csv' WITH (key = 'customer_id');\n\
         CREATE SEGMENT crowd AS SELECT customer_id, x FROM many;\n",
    );
    here
}

/// Runs with files of at most a few kilobytes: as on a full disk when the signal
/// that tells of it is ignored, killed in the middle of writing when it is not.
#[cfg(unix)]
fn with_small_files(folder: &Path, before: &str) -> std::process::Output {
    let program = segql(folder).get_program().to_owned();
    let line = format!(
        "{before} ulimit -c 0; ulimit -f 16; exec '{}' run --as-of 2025-03-31 --format json",
        program.to_string_lossy()
    );
    let mut shell = Command::new("sh");
    shell.current_dir(folder).args(["-c", &line]);
    shell.output().expect("starts")
}

#[cfg(unix)]
#[test]
fn a_full_disk_fails_what_does_not_fit() {
    let here = with_a_crowd();
    let ran: Ran = with_small_files(here.path(), "trap '' XFSZ;").into();
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found = nodes(&ran);
    for expected in ["regular: success 2", "crowd: error -", "size: success 3"] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
    assert!(ran.err.contains("error: crowd: "), "{}", ran.err);
    assert!(!here.path().join("store/crowd").exists());
    assert_eq!(files(here.path().join("store/_segql/staged")).len(), 0);
    let healed = as_of(here.path(), "2025-03-31", &[]);
    let found = nodes(&healed);
    for expected in [
        "regular: unchanged 2",
        "crowd: success 20000",
        "size: unchanged 3",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_run_killed_while_it_writes_leaves_a_sound_store() {
    let here = with_a_crowd();
    let killed = with_small_files(here.path(), "");
    assert_eq!(killed.status.code(), None, "ended by a signal");
    // What was done counts, what was begun does not.
    assert_eq!(snapshots(here.path(), "regular"), "2025-03-31,2,false\n");
    assert_eq!(snapshots(here.path(), "crowd"), "");
    assert!(!here.path().join("store/crowd").exists());
    let healed = as_of(here.path(), "2025-03-31", &[]);
    assert_eq!(healed.code, 0, "{}", healed.err);
    let found = nodes(&healed);
    for expected in [
        "regular: unchanged 2",
        "crowd: success 20000",
        "size: success 3",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
}

#[test]
fn names_of_any_language_have_their_folder() {
    let here = project();
    write(
        here.path(),
        "sql/names.sql",
        "CREATE SEGMENT \"Stali klienci / żółć\" AS SELECT customer_id FROM totals WHERE orders > 1;\n\
         CREATE SEGMENT \"Спящи\" AS SELECT customer_id FROM totals WHERE orders = 1;\n\
         CREATE SEGMENT \"..\" AS SELECT customer_id FROM \"Спящи\";\n\
         CREATE SEGMENT \"_segql\" AS SELECT customer_id FROM totals;\n",
    );
    let chosen = ["Stali klienci / żółć", "Спящи", "..", "_segql"];
    let ran = as_of(here.path(), "2025-03-31", &chosen);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // UTF-8, byte by byte: ż C5 BC, ó C3 B3, ł C5 82, ć C4 87.
    for folder in [
        "Stali%20klienci%20%2F%20%C5%BC%C3%B3%C5%82%C4%87",
        "%D0%A1%D0%BF%D1%8F%D1%89%D0%B8",
        "%2E.",
        "%5Fsegql",
    ] {
        let file = members(here.path(), folder, "2025-03-31");
        assert!(file.is_file(), "{}", file.display());
    }
    let query = "SELECT count(*) FROM members('Stali klienci / żółć', DATE '2025-03-31') \
                 UNION ALL SELECT count(*) FROM members('..', DATE '2025-03-31') ORDER BY 1";
    assert_eq!(rows(here.path(), query), "1\n2\n");
    let again = as_of(here.path(), "2025-03-31", &chosen);
    assert!(
        nodes(&again)
            .iter()
            .all(|node| node.contains(": unchanged ")),
        "{:?}",
        nodes(&again)
    );
}

#[test]
fn names_that_differ_only_in_case_are_refused() {
    let here = project();
    write(
        here.path(),
        "sql/names.sql",
        "CREATE SEGMENT \"VIP\" AS SELECT customer_id FROM totals;\n\
         CREATE SEGMENT \"vip\" AS SELECT customer_id FROM totals;\n",
    );
    // On some systems they would share a folder.
    let ran = as_of(here.path(), "2025-03-31", &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("only in case"), "{}", ran.err);
    assert!(nodes(&ran).contains(&"spender: success 2".to_owned()));
}
