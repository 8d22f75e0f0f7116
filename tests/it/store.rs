//! The store as a user meets it: what is unchanged, provisional or restated, names
//! and places.

use std::process::Stdio;

use crate::command::{Ran, run, segql};
use crate::small_project::{
    add, as_of, files, members, nodes, project, rows, snapshots, spender, write,
};

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
