//! `segql store rename`: a history under a new name.

use crate::command::run;
use crate::small_project::{as_of, members, project, replace, rows, spender, write};
use crate::store_state::{found, names, succeeded, tree};

const DAYS: [&str; 2] = ["2025-02-28", "2025-03-31"];

#[test]
fn snapshots_versions_and_records_get_the_name() {
    let here = project();
    for day in DAYS {
        succeeded(&as_of(here.path(), day, &[]));
    }
    spender(here.path(), "spent > 60");
    succeeded(&as_of(here.path(), DAYS[1], &["spender", "--restate"]));
    let before = tree(&here.path().join("store"));
    let query = |name: &str| {
        let query = format!(
            "SELECT as_of, size, id FROM segql.snapshots WHERE segment = '{name}' ORDER BY as_of"
        );
        rows(here.path(), &query)
    };
    let snapshots = query("spender");
    let ran = run(here.path(), &["store", "rename", "spender", "Big spenders"]);
    succeeded(&ran);
    assert_eq!(ran.out, "");
    assert!(
        ran.err.contains("spender is Big spenders now: 2 snapshots"),
        "{}",
        ran.err
    );
    assert_eq!(
        (query("Big spenders"), query("spender")),
        (snapshots, String::new())
    );
    assert_eq!(found(here.path()), [""; 0]);
    // The same files at new places, the records with another name.
    let renamed = names(&here.path().join("store"));
    let expected = before
        .keys()
        .filter(|name| !name.starts_with("_segql/locks"));
    let mut expected: Vec<String> = expected
        .map(|name| name.replace("/spender/", "/Big%20spenders/"))
        .map(|name| match name.strip_prefix("spender/") {
            Some(rest) => format!("Big%20spenders/{rest}"),
            None => name,
        })
        .collect();
    expected.sort();
    assert_eq!(renamed, expected);
    for day in DAYS {
        let file = members(here.path(), "Big%20spenders", day);
        let old = format!("spender/as_of={day}/members.parquet");
        assert_eq!(std::fs::read(file).expect("there"), before[&old]);
    }
    assert!(!here.path().join("store/spender").exists());
    // The definition follows, and finds its history: nothing else is said of these days.
    replace(
        here.path(),
        "sql/a_segments.sql",
        "SEGMENT spender",
        "SEGMENT \"Big spenders\"",
    );
    replace(
        here.path(),
        "sql/a_segments.sql",
        "FROM spender",
        "FROM \"Big spenders\"",
    );
    let ran = as_of(here.path(), DAYS[1], &["Big spenders"]);
    succeeded(&ran);
    assert!(ran.out.contains("\"status\": \"unchanged\""), "{}", ran.out);
}

#[test]
fn names_that_are_taken_or_cannot_be_are_refused() {
    let here = project();
    succeeded(&as_of(here.path(), DAYS[1], &[]));
    let before = tree(&here.path().join("store"));
    for (names, message) in [
        (
            ["spender", "regular"],
            "the store has snapshots of 'regular' already",
        ),
        (
            ["spender", "Regular"],
            "'regular', which differs from 'Regular' only in case",
        ),
        (
            ["spender", "Spender"],
            "'spender', which differs from 'Spender' only in case",
        ),
        (["spender", "a:b"], "'a:b' cannot be the name of a segment"),
        (["spendr", "x"], "did you mean 'spender'?"),
    ] {
        let ran = run(here.path(), &[&["store", "rename"][..], &names].concat());
        assert!(
            ran.code != 0 && ran.err.contains(message),
            "{names:?}: {}",
            ran.err
        );
    }
    let mut after = tree(&here.path().join("store"));
    after.retain(|name, _| name != "_segql/locks/_store.lock");
    let mut before = before;
    before.retain(|name, _| name != "_segql/locks/_store.lock");
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(after == before, "nothing was touched");
}

#[test]
fn one_that_was_cut_off_is_finished_by_a_second_call() {
    let here = project();
    for day in DAYS {
        succeeded(&as_of(here.path(), day, &["spender"]));
    }
    let store = here.path().join("store");
    let before = tree(&store);
    // As it is when a process ends after the first of two snapshots has its new place.
    write(
        &store,
        "_segql/rename.json",
        "{\"from\": \"spender\", \"to\": \"rich\"}",
    );
    for (name, bytes) in &before {
        let is_first = name.contains(DAYS[0]);
        let name = name.replace("/spender/", "/rich/");
        let name = name
            .strip_prefix("spender/")
            .map_or(name.clone(), |rest| format!("rich/{rest}"));
        if is_first && !store.join(&name).exists() {
            let path = store.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            let text = String::from_utf8(bytes.clone());
            let renamed =
                text.map(|text| text.replace("\"segment\": \"spender\"", "\"segment\": \"rich\""));
            std::fs::write(path, renamed.map_or(bytes.clone(), String::into_bytes))
                .expect("writes");
        }
    }
    assert_eq!(found(here.path()), ["leftover _segql/rename.json"]);
    let other = run(here.path(), &["store", "rename", "spender", "other"]);
    assert_eq!(other.code, 1);
    assert!(
        other
            .err
            .contains("a rename of spender to rich was cut off"),
        "{}",
        other.err
    );
    succeeded(&run(here.path(), &["store", "rename", "spender", "rich"]));
    assert_eq!(found(here.path()), [""; 0]);
    let query = "SELECT segment, as_of, size FROM segql.snapshots ORDER BY as_of";
    assert_eq!(
        rows(here.path(), query),
        "rich,2025-02-28,1\nrich,2025-03-31,2\n"
    );
}
