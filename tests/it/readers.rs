//! Readers that do not know segql: DuckDB, Polars and Arrow read members by their glob,
//! with the right types and the date from the folder's name, at any time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::killed::{project, run_whole};
use crate::python::environment;
use crate::slt::say;
use crate::store_state::{assert_undamaged, succeeded};

const REQUIREMENTS: &str = include_str!("../readers/requirements.txt");

/// Python with the readers; none, which is said aloud, where there is none or nothing can
/// be installed. Where `CI` or `SEGQL_TEST_READERS` is set, that is a failure.
fn python() -> Option<PathBuf> {
    match environment("readers", REQUIREMENTS) {
        Ok(python) => Some(python),
        Err(why) => {
            let needed = ["CI", "SEGQL_TEST_READERS"].map(std::env::var_os);
            assert!(needed.iter().all(Option::is_none), "no readers: {why}");
            say(&format!(
                "SKIPPED: other readers of a store were not tested: {why}"
            ));
            None
        }
    }
}

/// A run of the day before.
fn run_before(root: &Path, version: i64) {
    let version = format!("version={version}");
    let ran = crate::command::run(
        root,
        &[
            "run",
            "--as-of",
            "2025-01-30",
            "--restate",
            "--quiet",
            "--var",
            &version,
        ],
    );
    succeeded(&ran);
}

#[test]
fn others_read_whole_files_at_any_time() {
    let Some(python) = python() else {
        return;
    };
    let here = project();
    let root = here.path();
    run_before(root, 0);
    run_whole(root, 0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/read.py");
    let mut readers = Command::new(python);
    readers.arg(script).arg(root.join("store")).arg("4");
    let mut readers = readers.stdout(Stdio::piped()).spawn().expect("starts");
    // Meanwhile everything is written again and again.
    let mut version = 0;
    while readers.try_wait().expect("asked").is_none() {
        version += 1;
        run_whole(root, version);
        run_before(root, version);
    }
    let output = readers.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let said: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(
        said["wrong"],
        serde_json::json!([]),
        "while {version} versions were written"
    );
    for reader in ["duckdb", "polars", "pyarrow"] {
        let reads = said["reads"][reader].as_u64().expect("a number");
        assert!(reads >= 3, "{reader} read {reads} times");
    }
    assert!(
        version >= 2,
        "only {version} versions were written meanwhile"
    );
    assert_undamaged(root, "after all");
}
