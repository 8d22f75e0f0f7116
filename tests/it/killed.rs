//! `kill -9` at any moment of a run: what a record names stays whole, nothing is seen by halves,
//! and the next run ends well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::command::{run, segql};

const MOMENTS: u32 = 50;
/// Folders in which runs are killed at the same time, each its share of the moments.
const FOLDERS: u32 = 2;
const CUSTOMERS: i64 = 2000;

/// The segments, and the divisor by which each leaves people out.
pub(crate) const SEGMENTS: [(&str, i64); 3] = [("one", 7), ("three", 3), ("two", 5)];

/// Everything is different in each version: who is in, and a column that says so.
const DEFINITIONS: &str = "
CREATE SOURCE customers FROM 'data/customers.csv' WITH (key = 'customer_id');
CREATE ENTITY customer FROM customers KEY customer_id;
CREATE SEGMENT one AS
  SELECT customer_id, $version AS version FROM customers WHERE customer_id % 7 <> $version % 7;
CREATE SEGMENT two AS
  SELECT customer_id, $version AS version FROM customers WHERE customer_id % 5 <> $version % 5;
CREATE SEGMENTATION three AS
  SELECT customer_id, country AS label, $version AS version FROM customers
  WHERE customer_id % 3 <> $version % 3;
";

pub(crate) fn project() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    let root = here.path();
    let toml = "name = \"killed\"\n[vars]\nversion = 0\n";
    std::fs::write(root.join("segql.toml"), toml).expect("writes");
    std::fs::create_dir(root.join("sql")).expect("a folder");
    std::fs::write(root.join("sql/all.sql"), DEFINITIONS).expect("writes");
    std::fs::create_dir(root.join("data")).expect("a folder");
    let rows =
        (1..=CUSTOMERS).map(|id| format!("{id},{}\n", if id % 2 == 0 { "PL" } else { "BG" }));
    let text = format!("customer_id,country\n{}", rows.collect::<String>());
    std::fs::write(root.join("data/customers.csv"), text).expect("writes");
    here
}

/// How many are in a segment, by counting.
pub(crate) fn size(segment: &str, version: i64) -> usize {
    let (_, by) = SEGMENTS
        .into_iter()
        .find(|known| known.0 == segment)
        .expect("a segment");
    (1..=CUSTOMERS).filter(|id| id % by != version % by).count()
}

pub(crate) fn arguments(version: i64) -> [String; 8] {
    let version = format!("version={version}");
    let fixed = [
        "run",
        "--as-of",
        "2025-01-31",
        "--restate",
        "--quiet",
        "--var",
    ];
    let [a, b, c, d, e, f] = fixed.map(str::to_owned);
    [a, b, c, d, e, f, version, "--format=json".to_owned()]
}

/// A run that nobody disturbs.
pub(crate) fn run_whole(root: &Path, version: i64) {
    let arguments = arguments(version);
    let ran = run(root, &arguments.each_ref().map(String::as_str));
    assert_eq!(ran.code, 0, "version {version}: {}", ran.err);
}

/// Kills a run after a while; was it still at work?
pub(crate) fn run_killed(root: &Path, version: i64, after: Duration) -> bool {
    let mut child = segql(root)
        .args(arguments(version))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    std::thread::sleep(after);
    // SIGKILL, which no process can prepare for.
    child.kill().expect("can be killed, or has ended");
    let status = child.wait().expect("ends");
    assert!(status.signal() == Some(9) || status.success(), "{status}");
    status.signal() == Some(9)
}

/// What a members file holds, read to its last row.
struct Members {
    id: Option<String>,
    rows: usize,
    versions: BTreeSet<i64>,
}

fn read(path: &Path) -> Members {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let footer = builder.metadata().file_metadata().key_value_metadata();
    let id = footer
        .and_then(|entries| entries.iter().find(|entry| entry.key == "segql.id"))
        .and_then(|entry| entry.value.clone());
    let (mut rows, mut versions) = (0, BTreeSet::new());
    for batch in builder.build().expect("a reader") {
        let batch = batch.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        rows += batch.num_rows();
        let column = batch.column_by_name("version").expect("a column");
        versions.extend(column.as_primitive::<Int64Type>().values().iter());
    }
    Members { id, rows, versions }
}

/// A file that is complete and of one version; says which.
fn version_of(segment: &str, members: &Members) -> i64 {
    assert_eq!(
        members.versions.len(),
        1,
        "{segment}: {:?}",
        members.versions
    );
    let version = *members.versions.first().expect("one");
    assert_eq!(members.rows, size(segment, version), "{segment} {version}");
    version
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return vec![];
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A record's file is there, whole, and as the record says.
fn check_record(store: &Path, segment: &str, record: &Value) -> i64 {
    let id = record["id"].as_str().expect("an id");
    let public = store.join(segment).join("as_of=2025-01-31/members.parquet");
    let version = store.join(format!("_segql/versions/{segment}/2025-01-31-{id}.parquet"));
    let found = [public, version]
        .iter()
        .filter(|path| path.exists())
        .map(|path| read(path))
        .find(|members| members.id.as_deref() == Some(id));
    let found = found.unwrap_or_else(|| panic!("{segment}: no file with the id {id}"));
    assert_eq!(
        record["rows"].as_u64(),
        Some(found.rows as u64),
        "{segment}"
    );
    version_of(segment, &found)
}

/// Looks at all of a store; the version of each segment that counts.
pub(crate) fn check_files(store: &Path) -> BTreeMap<&'static str, i64> {
    let mut versions = BTreeMap::new();
    for (segment, _) in SEGMENTS {
        // For everyone: a single file, complete at any time.
        let folder = store.join(segment).join("as_of=2025-01-31");
        assert_eq!(files(&folder), [folder.join("members.parquet")]);
        version_of(segment, &read(&folder.join("members.parquet")));

        let record = json(&store.join(format!("_segql/snapshots/{segment}/2025-01-31.json")));
        versions.insert(segment, check_record(store, segment, &record));
        // What it replaced is still there, and every kept version has its file.
        let kept = store.join("_segql/versions").join(segment);
        if let Some(before) = record["restates"].as_str() {
            let before = kept.join(format!("2025-01-31-{before}.parquet"));
            version_of(segment, &read(&before));
            assert!(
                before.with_extension("json").exists(),
                "{}",
                before.display()
            );
        }
        for path in files(&kept) {
            if path.extension().is_some_and(|ending| ending == "json") {
                check_record(store, segment, &json(&path));
            }
        }
    }
    for path in files(&store.join("_segql/runs")) {
        if path.extension().is_some_and(|ending| ending == "json") {
            assert!(json(&path)["nodes"].is_array(), "{}", path.display());
        }
    }
    versions
}

/// The same through the command, in a process that knows nothing of what happened.
pub(crate) fn check_command(root: &Path, versions: &BTreeMap<&str, i64>) {
    let query = "SELECT s.segment, s.size, count(m.key) AS members, count(DISTINCT m.key) AS people
                 FROM segql.snapshots AS s
                 LEFT JOIN segql.members AS m ON m.segment = s.segment AND m.as_of = s.as_of
                 GROUP BY s.segment, s.size ORDER BY s.segment";
    let ran = run(root, &["--format", "csv", "-c", query]);
    let mut expected = "segment,size,members,people\n".to_owned();
    for (segment, version) in versions {
        let size = size(segment, *version);
        expected.push_str(&format!("{segment},{size},{size},{size}\n"));
    }
    assert_eq!((ran.code, &ran.out), (0, &expected), "{}", ran.err);
}

/// Kills runs in a folder of its own, at every `FOLDERS`th of the moments; how many were hit.
fn kill_runs(first: u32) -> u32 {
    let here = project();
    let (root, store) = (here.path(), here.path().join("store"));
    run_whole(root, 0);
    let clock = Instant::now();
    run_whole(root, 1);
    // A little longer than a run, so that its very end is among the moments.
    let spread = clock.elapsed().mul_f64(1.1);
    let (mut version, mut hit) = (1, 0);
    for moment in (first..MOMENTS).step_by(FOLDERS as usize) {
        let before = version;
        version += 1;
        let killed = run_killed(root, version, spread * moment / MOMENTS);
        hit += u32::from(killed);
        let versions = check_files(&store);
        for (segment, found) in &versions {
            let known = [before, version].contains(found);
            assert!(
                known,
                "moment {moment}: {segment} has version {found}, not {before} or {version}"
            );
            assert!(
                killed || *found == version,
                "moment {moment}: {segment} is of before"
            );
        }
        check_command(root, &versions);
        version += 1;
        run_whole(root, version);
        let all = check_files(&store);
        assert!(
            all.values().all(|it| *it == version),
            "moment {moment}: {all:?}"
        );
    }
    hit
}

#[test]
fn a_run_killed_at_any_moment_leaves_whole_snapshots() {
    let hit: u32 = std::thread::scope(|scope| {
        let folders: Vec<_> = (0..FOLDERS)
            .map(|first| scope.spawn(move || kill_runs(first)))
            .collect();
        folders
            .into_iter()
            .map(|folder| folder.join().expect("ends"))
            .sum()
    });
    assert!(
        hit >= MOMENTS / 4,
        "only {hit} of {MOMENTS} runs were still at work"
    );
}
