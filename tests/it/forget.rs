//! `segql forget`: a person is gone from everything the store holds, and stays gone.

use std::path::Path;

use crate::command::{Ran, run};
use crate::daily_shop::Shop;
use crate::forget_frozen::cut_off_before_records;
use crate::small_project::{as_of, members, nodes, project, replace, rows, spender, write};
use crate::store_state::{change, found, succeeded, tree};

const DAYS: [&str; 2] = ["2025-02-28", "2025-03-31"];
/// The source: 10 bought twice, 11 once, 12 three times.
const KEY: &str = "12";

fn forget(root: &Path, key: &str, more: &[&str]) -> Ran {
    run(
        root,
        &[&["forget", key, "--format", "csv"][..], more].concat(),
    )
}

/// Files of ours in which a key stands, read as the Parquet files they are.
fn holding(root: &Path, key: &str) -> Vec<String> {
    let store = root.join("store");
    let files = tree(&store)
        .into_keys()
        .filter(|name| name.ends_with(".parquet"));
    let with_key = files.filter(|name| {
        let file = store.join(name).display().to_string();
        let query =
            format!("SELECT count(*) FROM '{file}' WHERE CAST(customer_id AS VARCHAR) = '{key}'");
        // Outside of the project, so that its definitions do not matter.
        let ran = run(Path::new("/"), &["--format", "csv", "-c", &query]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        ran.out != "count(*)\n0\n"
    });
    with_key.collect()
}

/// Two dates, the second of which was restated for `spender`.
fn store() -> tempfile::TempDir {
    let here = project();
    for day in DAYS {
        succeeded(&as_of(here.path(), day, &[]));
    }
    spender(here.path(), "spent > 60");
    succeeded(&as_of(
        here.path(),
        DAYS[1],
        &["spender", "both_of_them", "--restate"],
    ));
    here
}

#[test]
fn a_person_goes_from_snapshots_versions_and_leftovers() {
    let here = store();
    let store = here.path().join("store");
    // A run that was cut off before its record, and one while it wrote.
    let staged = "_segql/staged/1-1.parquet";
    std::fs::create_dir_all(store.join("_segql/staged")).expect("made");
    std::fs::copy(members(here.path(), "spender", DAYS[1]), store.join(staged)).expect("copied");
    std::fs::write(store.join("_segql/staged/1-2.parquet#1"), "half").expect("writes");
    let unrecorded = store.join("regular/as_of=2025-04-01");
    std::fs::create_dir_all(&unrecorded).expect("made");
    std::fs::copy(
        members(here.path(), "regular", DAYS[1]),
        unrecorded.join("members.parquet"),
    )
    .expect("copied");
    let before = holding(here.path(), KEY);
    assert!(before.len() > 8, "{before:?}");

    let dry = forget(here.path(), KEY, &["--dry-run"]);
    succeeded(&dry);
    assert_eq!(
        holding(here.path(), KEY),
        before,
        "a dry run erases nothing"
    );
    let ran = forget(here.path(), KEY, &[]);
    succeeded(&ran);
    assert_eq!(ran.out, dry.out, "it was erased where it was said to be");
    assert_eq!(holding(here.path(), KEY), [""; 0]);
    let expected = "what,segment,as_of,file,rows\n\
        snapshot,both_of_them,2025-03-31,both_of_them/as_of=2025-03-31/members.parquet,1\n";
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines.contains(&expected.lines().nth(1).expect("a line")),
        "{}",
        ran.out
    );
    assert!(
        lines
            .iter()
            .any(|it| it.starts_with("version,spender,2025-03-31,")),
        "{}",
        ran.out
    );
    assert!(
        !ran.err.contains(KEY) && ran.err.contains("segql reads sources"),
        "{}",
        ran.err
    );

    // Everybody else is there, the counts are right, and it is said how many are gone.
    let query = "SELECT segment, as_of, key FROM segql.members WHERE segment IN ('regular', 'spender') ORDER BY 1, 2, 3";
    assert_eq!(
        rows(here.path(), query),
        "regular,2025-02-28,10\nregular,2025-03-31,10\nspender,2025-02-28,10\n"
    );
    let sizes =
        "SELECT segment, size FROM segql.snapshots WHERE as_of = DATE '2025-03-31' ORDER BY 1";
    assert_eq!(
        rows(here.path(), sizes),
        "both_of_them,0\nregular,1\nsize,2\nspender,0\n"
    );
    let record = std::fs::read_to_string(store.join("_segql/snapshots/size/2025-03-31.json"))
        .expect("there");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(
        (&record["forgotten"], &record["labels"]),
        (&1.into(), &serde_json::json!({"large": 1, "small": 1}))
    );
    assert_eq!(
        found(here.path()),
        ["leftover regular/as_of=2025-04-01/members.parquet"]
    );
    let again = forget(here.path(), KEY, &[]);
    succeeded(&again);
    assert_eq!(again.out, "what,segment,as_of,file,rows\n");
}

#[test]
fn an_erasure_that_was_cut_off_is_finished_by_the_next() {
    let here = store();
    cut_off_before_records(here.path(), &|root| forget(root, KEY, &[]));
    succeeded(&forget(here.path(), KEY, &[]));
    assert_eq!(holding(here.path(), KEY), [""; 0]);
    assert_eq!(found(here.path()), [""; 0], "the store is whole");
}

#[test]
fn a_finished_day_does_not_take_them_back_in_silence() {
    let here = store();
    succeeded(&forget(here.path(), KEY, &[]));
    let bytes = std::fs::read(members(here.path(), "size", DAYS[1])).expect("there");
    let same = as_of(here.path(), DAYS[1], &[]);
    succeeded(&same);
    assert!(
        nodes(&same).iter().all(|it| it.contains(": unchanged")),
        "{:?}",
        nodes(&same)
    );
    // Something else changed and the source still has them: that is a question, not a fact.
    let file = here.path().join("data/orders.csv");
    let orders = std::fs::read_to_string(&file).expect("there");
    std::fs::write(&file, format!("{orders}7,10,2025-01-06 10:00:00,1.00\n")).expect("writes");
    let back = as_of(here.path(), DAYS[1], &["size"]);
    assert_eq!(back.code, 1);
    assert!(
        back.err
            .contains("is finished and would change: 1 enter, 0 leave, 2 → 3"),
        "{}",
        back.err
    );
    assert_eq!(
        std::fs::read(members(here.path(), "size", DAYS[1])).expect("there"),
        bytes
    );
    // When the source has forgotten as well, what is computed is what is there, byte for byte.
    let others: String = orders
        .lines()
        .filter(|line| !line.contains(",12,"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, others).expect("writes");
    let gone = as_of(here.path(), DAYS[1], &["size"]);
    assert_eq!(nodes(&gone), ["size: unchanged 2"], "{}", gone.err);
    assert_eq!(
        rows(
            here.path(),
            "SELECT key FROM segql.members WHERE segment = 'size' AND as_of = DATE '2025-03-31' ORDER BY 1"
        ),
        "10\n11\n"
    );
}

#[test]
fn what_looks_at_its_own_past_need_not_be_computed_anew() {
    let here = project();
    write(
        here.path(),
        "sql/sticky.sql",
        "CREATE SEGMENT sticky AS SELECT t.customer_id FROM totals AS t\n\
         LEFT JOIN previous_members('sticky') AS p ON p.customer_id = t.customer_id\n\
         WHERE t.spent > 40 OR p.customer_id IS NOT NULL;\n",
    );
    for day in DAYS {
        succeeded(&as_of(here.path(), day, &["sticky"]));
    }
    succeeded(&forget(here.path(), "10", &[]));
    for day in DAYS {
        let ran = as_of(here.path(), day, &["sticky"]);
        assert!(
            nodes(&ran)[0].starts_with("sticky: unchanged"),
            "{day}: {}",
            ran.err
        );
    }
}

#[test]
fn messages_that_were_kept_lose_the_key() {
    let here = project();
    write(
        here.path(),
        "sql/twice.sql",
        "CREATE SEGMENT twice AS SELECT customer_id FROM orders;\n",
    );
    assert_eq!(as_of(here.path(), DAYS[1], &["twice"]).code, 1);
    let reason = "SELECT reason FROM segql.runs";
    let before = rows(here.path(), reason);
    assert!(
        before.contains("more than one row for some keys: 10, 12"),
        "{before}"
    );
    let ran = forget(here.path(), KEY, &[]);
    succeeded(&ran);
    assert!(
        ran.out
            .starts_with("what,segment,as_of,file,rows\nrun,,2025-03-31,"),
        "{}",
        ran.out
    );
    let after = rows(here.path(), reason);
    assert!(
        after.contains("more than one row for some keys: 10, …"),
        "{after}"
    );
}

#[test]
fn kept_states_are_removed_as_they_hold_everybody() {
    let shop = Shop::new("error");
    shop.check("2025-01-04", &[]);
    assert!(!shop.states().is_empty());
    let others = holding(shop.path(), "18");
    assert!(!others.is_empty() && !holding(shop.path(), "17").is_empty());
    write(
        shop.path(),
        "sql/entity.sql",
        "CREATE VIEW people AS SELECT DISTINCT customer_id FROM orders;\nCREATE ENTITY customer FROM people KEY customer_id;\n",
    );
    let ran = forget(shop.path(), "17", &[]);
    succeeded(&ran);
    assert!(shop.states().is_empty());
    assert!(ran.err.contains("kept states of aggregates"), "{}", ran.err);
    assert_eq!(holding(shop.path(), "17"), [""; 0]);
    assert_eq!(holding(shop.path(), "18").len(), others.len());
}

/// A project about people and about companies, whose keys are numbers too.
fn people_and_companies() -> tempfile::TempDir {
    let here = project();
    write(
        here.path(),
        "data/companies.csv",
        "company_id,customer_id\n11,12\n12,10\n13,12\n",
    );
    write(
        here.path(),
        "sql/companies.sql",
        "CREATE SOURCE companies FROM 'data/companies.csv' WITH (key = 'company_id');\n\
         CREATE ENTITY company FROM companies KEY company_id;\n\
         CREATE SEGMENT all_companies WITH (entity = 'company') AS SELECT company_id, customer_id FROM companies;\n\
         CREATE SEGMENTATION channels WITH (entity = 'customer', multiple = true) AS\n\
           SELECT DISTINCT customer_id, CASE WHEN amount > 5 THEN 'web' ELSE 'shop' END AS label FROM orders;\n",
    );
    replace(
        here.path(),
        "sql/a_segments.sql",
        "SEGMENT regular AS",
        "SEGMENT regular WITH (entity = 'customer') AS",
    );
    succeeded(&as_of(
        here.path(),
        DAYS[1],
        &["regular", "all_companies", "channels"],
    ));
    here
}

#[test]
fn the_same_key_of_another_entity_is_somebody_else() {
    let here = people_and_companies();
    let asked = forget(here.path(), KEY, &[]);
    assert_eq!((asked.code, asked.out.as_str()), (2, ""));
    assert!(
        asked
            .err
            .contains("--entity names one of company, customer"),
        "{}",
        asked.err
    );
    let ran = forget(here.path(), KEY, &["--entity", "customer"]);
    succeeded(&ran);
    assert_eq!(found(here.path()), [""; 0]);
    // Companies stay, without the name of their contact; all labels of a person go.
    let companies = "SELECT company_id, customer_id FROM members('all_companies', DATE '2025-03-31') ORDER BY 1";
    assert_eq!(rows(here.path(), companies), "11,\n12,10\n13,\n");
    let keys = "SELECT segment, label, key FROM segql.members WHERE segment <> 'all_companies' ORDER BY 1, 2, 3";
    assert_eq!(
        rows(here.path(), keys),
        "channels,shop,11\nchannels,web,10\nregular,,10\n"
    );
    // And the other way round.
    succeeded(&forget(here.path(), "11", &["--entity", "company"]));
    assert_eq!(rows(here.path(), companies), "12,10\n13,\n");
    assert_eq!(
        rows(here.path(), keys),
        "channels,shop,11\nchannels,web,10\nregular,,10\n"
    );
}

#[test]
fn what_can_be_no_key_is_refused() {
    let here = store();
    for text in ["anna@example.com", "012", " 12", "12,11", "12.0"] {
        let ran = forget(here.path(), text, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
        assert!(
            ran.err.contains("keys are whole numbers here"),
            "{}",
            ran.err
        );
    }
    assert!(!holding(here.path(), KEY).is_empty());
}

#[test]
fn what_cannot_be_erased_is_told() {
    let here = store();
    let store = here.path().join("store");
    // Another's file with the same column.
    std::fs::create_dir_all(store.join("mine")).expect("made");
    std::fs::copy(
        members(here.path(), "size", DAYS[1]),
        store.join("mine/copy.parquet"),
    )
    .expect("copied");
    let ran = forget(here.path(), KEY, &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("'mine/copy.parquet' among them") && !ran.err.contains(KEY),
        "{}",
        ran.err
    );
    assert_eq!(holding(here.path(), KEY), ["mine/copy.parquet"]);
    // A file that cannot be read may hold anybody.
    std::fs::remove_file(store.join("mine/copy.parquet")).expect("there");
    let file = std::fs::File::options()
        .write(true)
        .open(members(here.path(), "size", DAYS[0]));
    file.and_then(|file| file.set_len(50)).expect("cut");
    let ran = forget(here.path(), "10", &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("2 files of the store cannot be read")
            && ran.err.contains("size/2025-02-28"),
        "{}",
        ran.err
    );
    // Texts are the project's.
    let record = store.join("_segql/snapshots/regular/2025-03-31.json");
    change(&record, |record| {
        record["definitions"]["regular"] = "… WHERE customer_id <> 11".into()
    });
    let ran = forget(here.path(), "11", &[]);
    assert!(
        ran.err
            .contains("the definition of regular that its records keep"),
        "{}",
        ran.err
    );
}
