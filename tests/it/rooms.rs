//! The one-way rules of ARCHITECTURE.md: a room uses only rooms before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every room of `src/`, each after those it may use.
const ORDER: [&str; 14] = [
    "error",
    "sql_type",
    "statement",
    "output",
    "source",
    "store",
    "exec",
    "session",
    "catalog",
    "project",
    "plan",
    "run",
    "cli",
    "repl",
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Files of a crate with their texts, tests at their ends left out.
fn texts(folder: &str) -> BTreeMap<PathBuf, String> {
    let mut files = vec![];
    rust_files(Path::new(folder), &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            (path, code.to_owned())
        })
        .collect()
}

fn room(path: &Path) -> String {
    let inner = path.strip_prefix("src").expect("below src");
    let first = inner.components().next().expect("a name");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

#[test]
fn rooms_use_only_rooms_before_them() {
    let mut wrong = vec![];
    for (path, text) in texts("src") {
        let room = room(&path);
        if room == "lib" || room == "main" {
            continue;
        }
        let place = ORDER.iter().position(|known| *known == room);
        let place = place.unwrap_or_else(|| panic!("room '{room}' is not in the list"));
        for used in text.split("crate::").skip(1) {
            let used: String = used
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let other = ORDER.iter().position(|known| *known == used);
            if other.is_none_or(|other| other > place) {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cli_and_repl_do_not_know_each_other() {
    for (path, text) in texts("src") {
        let other = match room(&path).as_str() {
            "cli" => "crate::repl",
            "repl" => "crate::cli",
            _ => continue,
        };
        assert!(!text.contains(other), "{} uses {other}", path.display());
    }
}

#[test]
fn only_session_builds_a_session() {
    for (path, text) in texts("src") {
        if room(&path) != "session" {
            for call in [
                "SessionContext::new",
                "SessionStateBuilder::new",
                "RuntimeEnvBuilder::new",
            ] {
                assert!(!text.contains(call), "{} calls {call}", path.display());
            }
        }
    }
}

#[test]
fn only_the_printer_touches_the_standard_streams() {
    for (path, text) in texts("src") {
        if !path.ends_with("output/printer.rs") {
            for call in [
                "println!",
                "eprint!",
                "stdout()\n",
                "io::stdout",
                "io::stderr",
            ] {
                assert!(!text.contains(call), "{} has {call}", path.display());
            }
        }
    }
}

#[test]
fn the_functions_do_not_depend_on_datafusion_itself() {
    let manifest = std::fs::read_to_string("udfs/Cargo.toml").expect("readable");
    let dependencies = manifest
        .split("[dev-dependencies]")
        .next()
        .expect("a first part");
    let whole = dependencies
        .lines()
        .find(|line| line.starts_with("datafusion ") || line.starts_with("datafusion."));
    assert_eq!(whole, None);
    for (path, text) in texts("udfs/src") {
        assert!(!text.contains("segql::"), "{} knows segql", path.display());
    }
}
