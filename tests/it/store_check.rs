//! `segql store check`: what is wrong is found, and what it says mends it.

use std::path::Path;

use crate::command::run;
use crate::small_project::{as_of, project, spender, write};
use crate::store_state::{change, findings, found, only, succeeded};

const DAY: &str = "2025-03-31";
const MEMBERS: &str = "spender/as_of=2025-03-31/members.parquet";
const RECORD: &str = "_segql/snapshots/spender/2025-03-31.json";

/// A store with a snapshot of each segment and a restated one of `spender`.
fn store() -> tempfile::TempDir {
    let here = project();
    succeeded(&as_of(here.path(), DAY, &[]));
    spender(here.path(), "spent > 60");
    succeeded(&as_of(here.path(), DAY, &["spender", "--restate"]));
    here
}

/// The file under the id of the snapshot that counts.
fn version(root: &Path) -> String {
    let text = std::fs::read_to_string(root.join("store").join(RECORD)).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let id = record["id"].as_str().expect("an id");
    format!("_segql/versions/spender/{DAY}-{id}.parquet")
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("readable");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("writes");
}

/// Does what the only finding of damage says.
fn mend(root: &Path) {
    let (_, found) = findings(root);
    let damage = found.iter().find(|it| it["condition"] == "damaged");
    let damage = damage.expect("damage");
    let words = damage["mend"].as_str().expect("a text");
    if words.starts_with("remove it") {
        let file = damage["file"].as_str().expect("a file");
        std::fs::remove_file(root.join("store").join(file)).expect("there");
    }
    if let Some((_, command)) = words.split_once("segql run ") {
        let words: Vec<&str> = command.split(' ').take(3).collect();
        assert_eq!(words[1..], ["--as-of", DAY]);
        succeeded(&as_of(root, DAY, &[words[0]]));
    }
}

#[test]
fn a_sound_store_has_no_findings() {
    let here = store();
    let ran = run(here.path(), &["store", "check", "--format", "json"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "[]\n"), "{}", ran.err);
    let note = "4 snapshots, 1 old versions, 2 runs: 0 damaged, 0 leftovers, 0 foreign files";
    assert!(ran.err.starts_with(note), "{}", ran.err);
}

/// What is done to a store, and the file that is found to be damaged.
type Damage = (&'static str, fn(&Path), fn(&Path) -> String);

const DAMAGES: [Damage; 7] = [
    (
        "a bit of a page",
        |store| flip(&store.join(MEMBERS), 30),
        |_| MEMBERS.to_owned(),
    ),
    (
        "the end is gone",
        |store| {
            let file = std::fs::File::options()
                .write(true)
                .open(store.join(MEMBERS));
            file.and_then(|file| file.set_len(100)).expect("cut");
        },
        |_| MEMBERS.to_owned(),
    ),
    (
        "the file for everyone is gone",
        |store| std::fs::remove_file(store.join(MEMBERS)).expect("there"),
        |_| MEMBERS.to_owned(),
    ),
    (
        "another segment's file",
        |store| {
            let other = store.join("size/as_of=2025-03-31/members.parquet");
            std::fs::remove_file(store.join(MEMBERS)).expect("there");
            std::fs::copy(other, store.join(MEMBERS)).expect("copied");
            let root = store.parent().expect("a folder");
            std::fs::remove_file(store.join(version(root))).expect("there");
        },
        |_| MEMBERS.to_owned(),
    ),
    (
        "half a record",
        |store| {
            let text = std::fs::read_to_string(store.join(RECORD)).expect("there");
            std::fs::write(store.join(RECORD), &text[..text.len() / 2]).expect("writes");
        },
        |_| RECORD.to_owned(),
    ),
    (
        "the record of another",
        |store| {
            let other = store.join("_segql/snapshots/size/2025-03-31.json");
            std::fs::copy(other, store.join(RECORD))
                .map(|_| ())
                .expect("copied");
        },
        |_| RECORD.to_owned(),
    ),
    (
        "other rows than recorded",
        |store| change(&store.join(RECORD), |record| record["rows"] = 7.into()),
        |_| MEMBERS.to_owned(),
    ),
];

#[test]
fn damage_is_found_and_mended_as_it_says() {
    for (what, damage, file) in DAMAGES {
        let here = store();
        damage(&here.path().join("store"));
        let all = found(here.path());
        let expected = format!("damaged {}", file(here.path()));
        assert_eq!(all.first(), Some(&expected), "{what}: {all:?}");
        let damaged = all.iter().filter(|it| it.starts_with("damaged"));
        assert_eq!(damaged.count(), 1, "{what}: {all:?}");
        mend(here.path());
        let left = found(here.path());
        let damaged = left.iter().find(|it| it.starts_with("damaged"));
        assert_eq!(damaged, None, "{what}");
        let query = "SELECT count(*) FROM segql.members WHERE segment = 'spender'";
        let ran = run(here.path(), &["--format", "csv", "-c", query]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "count(*)\n1\n"),
            "{what}: {}",
            ran.err
        );
    }
}

#[test]
fn a_lost_old_version_and_run_are_damage_that_nothing_brings_back() {
    let here = store();
    let store = here.path().join("store");
    let old = only(&store.join("_segql/versions/spender"), "json");
    std::fs::remove_file(old.with_extension("parquet")).expect("there");
    let run = std::fs::read_dir(store.join("_segql/runs")).expect("a folder");
    let run = run
        .map(|it| it.expect("an entry").path())
        .min()
        .expect("a run");
    std::fs::write(&run, "{}").expect("writes");
    let (code, found) = findings(here.path());
    assert_eq!((code, found.len()), (1, 2), "{found:?}");
    assert_eq!(found[0]["problem"], "is no record of a run");
    assert_eq!(found[1]["problem"], "is missing");
    let mend = found[1]["mend"].as_str().expect("a text");
    assert!(mend.starts_with("nothing brings it back"), "{mend}");
}

#[test]
fn what_is_left_over_or_foreign_is_listed_and_no_failure() {
    let here = store();
    let version = "_segql/versions/spender/2025-03-31-00000000000000000000000000000000.parquet";
    for file in [
        version,
        "_segql/staged/1-1.parquet",
        "_segql/runs/x.json#1",
        "notes.txt",
        "a/b/c/d/e/f/g.txt",
    ] {
        write(&here.path().join("store"), file, "x");
    }
    std::fs::remove_file(
        here.path()
            .join("store/_segql/snapshots/size/2025-03-31.json"),
    )
    .expect("there");
    let of_size = only(&here.path().join("store/_segql/versions/size"), "parquet");
    let of_size = of_size
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert_eq!(
        found(here.path()),
        [
            "leftover _segql/runs/x.json#1".to_owned(),
            "leftover _segql/staged/1-1.parquet".to_owned(),
            format!("leftover _segql/versions/size/{of_size}"),
            format!("leftover {version}"),
            "leftover size/as_of=2025-03-31/members.parquet".to_owned(),
            "foreign a/b/c/d/e/f".to_owned(),
            "foreign notes.txt".to_owned(),
        ]
    );
}

#[test]
fn without_a_store_it_says_so() {
    let here = tempfile::tempdir().expect("a folder");
    let ran = run(here.path(), &["store", "check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("--store DIR or --project DIR names one"),
        "{}",
        ran.err
    );
    let ran = run(here.path(), &["store", "check", "--store", "nowhere"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("there is no store"), "{}", ran.err);
    assert!(!here.path().join("nowhere").exists());
}
