//! `segql store prune`: what no longer counts goes, everything else stays.

use std::path::Path;

use crate::command::{Ran, run};
use crate::small_project::{as_of, files, project, rows, spender, write};
use crate::store_state::{change, found, names, succeeded, tree};

const DAY: &str = "2025-03-31";

/// `spender` with 2, 1, 3 and again 1 members: three old versions, the second of which
/// is also the one that counts.
fn restated() -> tempfile::TempDir {
    let here = project();
    for condition in ["spent > 40", "spent > 60", "spent > 4", "spent > 60"] {
        spender(here.path(), condition);
        succeeded(&as_of(here.path(), DAY, &["spender", "--restate"]));
    }
    here
}

fn prune(root: &Path, keep: &str, more: &[&str]) -> Ran {
    let all = ["store", "prune", "--format", "csv", "--keep", keep];
    run(root, &[&all[..], more].concat())
}

/// How many old versions are left, by their records.
fn versions(root: &Path) -> usize {
    let files = files(root.join("store/_segql/versions/spender"));
    let records = files
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "json"));
    records.count()
}

#[test]
fn the_newest_versions_stay_and_the_snapshot_that_counts() {
    let here = restated();
    let before = tree(&here.path().join("store"));
    let dry = prune(here.path(), "1", &["--dry-run"]);
    succeeded(&dry);
    assert_eq!(versions(here.path()), 3);
    let mut after = tree(&here.path().join("store"));
    after.retain(|name, _| !name.contains("/locks/"));
    assert!(
        after.iter().all(|(name, bytes)| before[name] == *bytes),
        "a dry run changes nothing"
    );
    let ran = prune(here.path(), "1", &[]);
    succeeded(&ran);
    assert_eq!(ran.out, dry.out, "it goes as was said");
    assert_eq!(versions(here.path()), 1);
    // The record of the second went; its members are those that count.
    assert_eq!(rows(here.path(), "SELECT key FROM segql.members"), "12\n");
    assert_eq!(found(here.path()), [""; 0]);
    succeeded(&prune(here.path(), "0", &[]));
    assert_eq!(versions(here.path()), 0);
    assert_eq!(rows(here.path(), "SELECT key FROM segql.members"), "12\n");
    assert_eq!(found(here.path()), [""; 0]);
    let left = files(here.path().join("store/_segql/versions/spender"));
    assert_eq!(
        left.len(),
        1,
        "the file of the snapshot that counts: {left:?}"
    );
}

#[test]
fn a_version_is_as_old_as_what_took_its_place() {
    let here = restated();
    succeeded(&prune(here.path(), "1d", &[]));
    assert_eq!(versions(here.path()), 3, "all were replaced just now");
    // What counts took the place of the third a long time ago.
    let record = here
        .path()
        .join(format!("store/_segql/snapshots/spender/{DAY}.json"));
    change(&record, |record| {
        record["started"] = "2020-02-29T10:00:00Z".into()
    });
    succeeded(&prune(here.path(), "24m", &[]));
    assert_eq!(versions(here.path()), 2);
    assert_eq!(found(here.path()), [""; 0]);
}

#[test]
fn what_was_cut_off_goes_and_what_is_foreign_stays() {
    let here = restated();
    let store = here.path().join("store");
    let unnamed = "_segql/versions/spender/2025-03-31-00000000000000000000000000000000.parquet";
    let foreign = [
        "notes.txt",
        "_segql/other.txt",
        "spender/as_of=2025-03-31/notes.txt",
    ];
    for file in ["_segql/staged/1-1.parquet", "_segql/runs/x.json#1", unnamed] {
        write(&store, file, "x");
    }
    for file in foreign {
        write(&store, file, "x");
    }
    let ran = prune(here.path(), "1000", &[]);
    succeeded(&ran);
    assert!(ran.err.contains("3 files removed"), "{}", ran.err);
    assert_eq!(found(here.path()).len(), foreign.len());
    assert!(foreign.iter().all(|file| store.join(file).exists()));
    assert_eq!(versions(here.path()), 3);
}

#[test]
fn runs_go_but_for_the_newest_and_segments_can_be_named() {
    let here = restated();
    let runs = || files(here.path().join("store/_segql/runs")).len();
    succeeded(&prune(here.path(), "0", &["--segment", "spender"]));
    assert_eq!(
        (versions(here.path()), runs()),
        (0, 4),
        "only what is of the segment"
    );
    let unknown = prune(here.path(), "0", &["--segment", "spendr"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.contains("did you mean 'spender'?"),
        "{}",
        unknown.err
    );
    succeeded(&prune(here.path(), "2", &[]));
    assert_eq!(runs(), 2);
    succeeded(&prune(here.path(), "0", &[]));
    assert_eq!(runs(), 1, "`failed` selects from the last");
    let wrong = prune(here.path(), "10h", &[]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(
        wrong
            .err
            .contains("--keep '10h' is neither a time nor a number"),
        "{}",
        wrong.err
    );
}

#[test]
fn a_damaged_record_keeps_its_versions() {
    let here = restated();
    let store = here.path().join("store");
    std::fs::write(
        store.join(format!("_segql/snapshots/spender/{DAY}.json")),
        "{",
    )
    .expect("writes");
    succeeded(&prune(here.path(), "1000", &[]));
    let parquet = names(&store)
        .into_iter()
        .filter(|it| it.contains("/versions/") && it.ends_with(".parquet"));
    assert_eq!(parquet.count(), 3, "nobody knows which of them counts");
}
