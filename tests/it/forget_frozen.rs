//! `segql forget` of somebody whom frozen views hold, as they count and as they did before.

use std::path::Path;

use crate::command::{Ran, run};
use crate::small_project::{as_of, nodes, project, replace, rows, write};
use crate::store_state::{found, succeeded, tree};

const MARCH: &str = "2025-03-31";

const FROZEN: &str = "
CREATE FROZEN VIEW habits AS OF '2025-03-31' AS
  SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;
CREATE SEGMENT steady AS SELECT customer_id, orders FROM habits WHERE orders >= 2;
";

/// Frozen twice: 11 came a second time, so that rows that counted before are kept as well.
fn store() -> tempfile::TempDir {
    let here = project();
    write(here.path(), "sql/frozen.sql", FROZEN);
    let first = as_of(here.path(), MARCH, &["steady"]);
    assert_eq!(nodes(&first), ["steady: success 2"], "{}", first.err);
    let again = "3,11,2025-02-10 09:00:00,5.00\n7,11,2025-02-11 09:00:00,5.00";
    let first = "3,11,2025-02-10 09:00:00,5.00";
    replace(here.path(), "data/orders.csv", first, again);
    let second = as_of(
        here.path(),
        MARCH,
        &["steady", "--refreeze", "habits", "--restate"],
    );
    assert_eq!(nodes(&second), ["steady: success 3"], "{}", second.err);
    here
}

fn forget(root: &Path) -> Ran {
    run(root, &["forget", "12", "--format", "csv"])
}

/// How many rows of all files of the frozen view are of a customer.
fn kept_rows(root: &Path, customer: u32) -> Vec<String> {
    let folder = root.join("store/_segql/frozen/habits");
    let names = tree(&folder).into_keys();
    let files = names.filter(|it| it.ends_with(".parquet"));
    let query = |file: String| {
        let file = folder.join(file).display().to_string();
        let query = format!("SELECT count(*) FROM '{file}' WHERE customer_id = {customer}");
        run(Path::new("/"), &["--format", "csv", "-c", &query]).out
    };
    files.map(query).collect()
}

#[test]
fn a_person_goes_from_rows_that_count_and_from_those_that_did() {
    let here = store();
    assert_eq!(kept_rows(here.path(), 12), ["count(*)\n1\n"; 2]);
    let ran = forget(here.path());
    succeeded(&ran);
    let frozen = ran.out.lines().filter(|it| it.starts_with("frozen view,"));
    assert_eq!(frozen.count(), 2, "{}", ran.out);
    assert_eq!(kept_rows(here.path(), 12), ["count(*)\n0\n"; 2]);
    assert_eq!(kept_rows(here.path(), 11), ["count(*)\n1\n"; 2]);
    assert_eq!(found(here.path()), [""; 0], "the store is whole");
    let status = "SELECT name, status, rows FROM segql.frozen";
    assert_eq!(rows(here.path(), status), "habits,frozen,2\n");
    // What is built on it is read from the rows that are left; the source still has them.
    let ran = as_of(here.path(), MARCH, &["steady"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let members = "SELECT customer_id, orders FROM members('steady', DATE '2025-03-31') ORDER BY 1";
    assert_eq!(rows(here.path(), members), "10,2\n11,2\n");
    let again = forget(here.path());
    succeeded(&again);
    assert_eq!(again.out, "what,segment,as_of,file,rows\n");
}

/// What an erasure writes that is cut off before any of its records: the new files that it
/// would write, put into the store that it would change.
pub(crate) fn cut_off_before_records(root: &Path, forget: &dyn Fn(&Path) -> Ran) {
    let copy = tempfile::tempdir().expect("a folder");
    for (name, bytes) in tree(root) {
        let path = copy.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    succeeded(&forget(copy.path()));
    let (before, mut left) = (tree(root), 0);
    for (name, bytes) in tree(copy.path()) {
        let is_new = name.starts_with("store/_segql/") && !before.contains_key(&name);
        if is_new && name.ends_with(".parquet") {
            std::fs::write(root.join(name), bytes).expect("written");
            left += 1;
        }
    }
    assert!(left > 0, "it writes files");
}

#[test]
fn files_of_an_erasure_that_was_cut_off_are_written_once_more() {
    let here = store();
    cut_off_before_records(here.path(), &forget);
    succeeded(&forget(here.path()));
    assert_eq!(found(here.path()), [""; 0], "the store is whole");
    assert_eq!(kept_rows(here.path(), 12), ["count(*)\n0\n"; 2]);
    assert_eq!(kept_rows(here.path(), 11), ["count(*)\n1\n"; 2]);
}
