//! The command as a user runs it: exit codes, streams, files.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run of the command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The command in a folder, free of the environment's settings.
pub(crate) fn segql(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segql"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("SEGQL_") || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    segql(folder)
        .args(arguments)
        .output()
        .expect("starts")
        .into()
}

fn with_input(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = segql(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("takes its input");
    drop(stdin);
    child.wait_with_output().expect("ends").into()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn results_and_nothing_else_go_to_standard_output() {
    let here = folder();
    let script = "CREATE VIEW v AS SELECT 1 AS a; SET segql.as_of = '2026-01-31'; SELECT * FROM v";
    let ran = run(here.path(), &["--format", "csv", "-c", script]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "a\n1\n", "")
    );
}

#[test]
fn an_empty_result_is_a_document_with_its_header() {
    let here = folder();
    let query = "SELECT 1 AS a, 'x' AS b WHERE false";
    for (format, expected) in [("csv", "a,b\n"), ("json", "[]\n"), ("jsonl", "")] {
        let ran = run(here.path(), &["--format", format, "-c", query]);
        assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{format}");
    }
    let table = run(here.path(), &["-c", query]);
    assert!(
        table.out.contains("a │ b") && table.out.contains("0 rows"),
        "{}",
        table.out
    );
}

#[test]
fn scripts_run_in_the_order_given_and_stop_at_the_first_error() {
    let here = folder();
    std::fs::write(here.path().join("b.sql"), "SELECT 2 AS b;").expect("writes");
    let ran = run(
        here.path(),
        &[
            "--format",
            "csv",
            "-c",
            "SELECT 1 AS a",
            "-f",
            "b.sql",
            "-c",
            "SELECT 3 AS c",
        ],
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "a\n1\nb\n2\nc\n3\n"));
    let ran = run(
        here.path(),
        &[
            "--format",
            "csv",
            "-c",
            "SELECT 1 AS a; SELECT nope; SELECT 2 AS b",
        ],
    );
    assert_eq!((ran.code, ran.out.as_str()), (1, "a\n1\n"));
    let go_on = [
        "--format",
        "csv",
        "--on-error",
        "continue",
        "-c",
        "SELECT nope; SELECT 2 AS b",
    ];
    let ran = run(here.path(), &go_on);
    assert_eq!((ran.code, ran.out.as_str()), (1, "b\n2\n"));
    let ran = with_input(
        here.path(),
        &["--format", "csv"],
        "SELECT 1 AS a; -- done\n",
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "a\n1\n"));
}

#[test]
fn exit_codes() {
    let here = folder();
    let code = |arguments: &[&str]| run(here.path(), arguments).code;
    assert_eq!(code(&["-c", "SELECT 1"]), 0);
    assert_eq!(code(&["-c", "SELECT * FROM nope"]), 1);
    assert_eq!(code(&["--nonsense"]), 2);
    assert_eq!(code(&["--as-of", "yesterdy", "-c", "SELECT 1"]), 2);
    assert_eq!(code(&["--format", "cvs", "-c", "SELECT 1"]), 2);
    assert_eq!(code(&["rnu"]), 2);
    assert_eq!(code(&["run"]), 2, "there is no project");
    let busy = "SELECT count(*) FROM generate_series(1, 3000) AS a (x), generate_series(1, 3000) AS b (y), \
                generate_series(1, 3000) AS c (z) WHERE x * y > z";
    let clock = std::time::Instant::now();
    assert_eq!(code(&["--timeout", "0.5s", "-c", busy]), 124);
    assert!(
        clock.elapsed().as_secs() < 10,
        "the clock goes on while every core computes"
    );
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000) AS a (i)";
    assert_eq!(code(&["--timeout", "0.3s", "-c", endless]), 124);
}

#[test]
fn an_output_file_appears_whole_or_not_at_all() {
    let here = folder();
    let file = here.path().join("out.csv");
    std::fs::write(&file, "before").expect("writes");
    let failing = "SELECT 1 / (value - 90000) AS x FROM generate_series(1, 100000)";
    let ran = run(here.path(), &["-o", "out.csv", "-c", failing]);
    assert_eq!(ran.code, 1);
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "before");
    let ran = run(
        here.path(),
        &["-o", "out.csv", "-c", "SELECT 'Żółć' AS name"],
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(
        std::fs::read_to_string(&file).expect("there"),
        "name\nŻółć\n"
    );
    let left: Vec<_> = std::fs::read_dir(here.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let here = folder();
    let mut child = segql(here.path())
        .args([
            "--format",
            "csv",
            "-c",
            "SELECT * FROM generate_series(1, 10000000)",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let ran: Ran = child.wait_with_output().expect("ends").into();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn ctrl_c_ends_with_130() {
    let here = folder();
    let child = segql(here.path())
        .args([
            "-c",
            "SELECT count(*) FROM generate_series(1, 1000000000000) AS a (i)",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    let ran: Ran = child.wait_with_output().expect("ends").into();
    assert_eq!((ran.code, ran.err.trim()), (130, "interrupted"));
}

#[test]
fn files_become_tables_and_variables_literals() {
    let here = folder();
    std::fs::write(
        here.path().join("Zamówienia.csv"),
        "id,kwota\n1,10.50\n2,3.20\n",
    )
    .expect("writes");
    let query = "SELECT sum(kwota) AS suma FROM \"zamówienia\" WHERE id >= $from";
    let ran = run(
        here.path(),
        &[
            "Zamówienia.csv",
            "--var",
            "from=2",
            "--format",
            "csv",
            "-c",
            query,
        ],
    );
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "suma\n3.20\n", "")
    );
}
