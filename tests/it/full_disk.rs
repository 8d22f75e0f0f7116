//! Runs that cannot write, or are killed while they do.

use std::path::Path;
use std::process::Command;

use crate::command::{Ran, segql};
use crate::small_project::{as_of, files, nodes, project, snapshots, write};

/// A project with a segment of 20,000, which takes more than 100 kB and comes after
/// the one it builds on.
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
         CREATE SEGMENT crowd AS SELECT m.customer_id, m.x FROM many AS m\n\
           LEFT JOIN regular AS r ON r.customer_id = m.customer_id;\n",
    );
    here
}

/// Runs with files of at most a few kilobytes: as on a full disk when the signal
/// that tells of it is ignored, killed in the middle of writing when it is not.
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
    // Others may have been done at the same time.
    for expected in ["regular: unchanged 2", "crowd: success 20000"] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
}
