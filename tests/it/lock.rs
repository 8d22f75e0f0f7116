//! `segql.lock`: types of columns that stay.

use std::path::Path;

use crate::command::run;
use crate::small_project::{AS_OF, march, nodes, project, replace, rows_with, write};

/// The lines of segql.lock about columns.
fn pinned(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("segql.lock")).expect("a lock");
    let lines = text.lines().map(str::trim);
    let columns = lines.filter(|line| line.starts_with("[\""));
    columns.map(str::to_owned).collect()
}

/// A project with a source of codes that are numbers so far.
fn with_codes() -> tempfile::TempDir {
    let here = project();
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,code\n10,7\n11,8\n",
    );
    write(
        here.path(),
        "sql/codes.sql",
        "CREATE SOURCE codes FROM 'data/codes.csv' WITH (key = 'customer_id');\n\
         CREATE SEGMENT coded AS SELECT customer_id, code FROM codes;\n",
    );
    here
}

#[test]
fn the_first_run_pins_the_types_of_columns() {
    let here = with_codes();
    // Looking does not pin.
    run(here.path(), &["check", "--as-of", "2025-03-31"]);
    march(here.path(), &["--dry-run"]);
    rows_with(here.path(), "SELECT count(*) FROM orders", &[]);
    assert!(!here.path().join("segql.lock").exists());
    // By source and in the order of the files; orders is where the entity comes from.
    march(here.path(), &["coded"]);
    let all = pinned(here.path());
    assert_eq!(
        all[..5],
        [
            "[\"customer_id\", \"BIGINT\"],",
            "[\"code\", \"BIGINT\"],",
            "[\"order_id\", \"BIGINT\"],",
            "[\"customer_id\", \"BIGINT\"],",
            "[\"ordered_at\", \"TIMESTAMP\"],"
        ]
    );
    assert!(all[5].starts_with("[\"amount\", \"DECIMAL("), "{all:?}");
    assert_eq!(all.len(), 6);
    // A run that finds nothing new leaves the file as it is.
    let lock = here.path().join("segql.lock");
    let before = std::fs::read_to_string(&lock).expect("there");
    march(here.path(), &[]);
    assert_eq!(std::fs::read_to_string(&lock).expect("there"), before);
    // A source that is gone falls out.
    std::fs::remove_file(here.path().join("sql/codes.sql")).expect("there");
    march(here.path(), &[]);
    assert_eq!(pinned(here.path()), all[2..]);
}

#[test]
fn a_number_does_not_become_a_text_overnight() {
    let here = with_codes();
    march(here.path(), &[]);
    let members = here
        .path()
        .join("store/coded/as_of=2025-03-31/members.parquet");
    let before = std::fs::read(&members).expect("a snapshot");
    let drifted = "customer_id,code\n10,7\n11,8\n12,A9\n";
    write(here.path(), "data/codes.csv", drifted);
    let ran = march(here.path(), &[]);
    assert_eq!(ran.code, 1);
    assert!(nodes(&ran).contains(&"coded: error -".to_owned()));
    assert!(nodes(&ran).contains(&"regular: unchanged 2".to_owned()));
    assert!(
        ran.err.contains("coded: ") && ran.err.contains("'A9'"),
        "{}",
        ran.err
    );
    assert_eq!(std::fs::read(&members).expect("a snapshot"), before);
    assert_eq!(pinned(here.path())[1], "[\"code\", \"BIGINT\"],");
    // The same in a column of money, for all who read it.
    replace(here.path(), "data/orders.csv", "7.50", "siedem");
    let ran = march(here.path(), &["spender", "regular"]);
    assert_eq!(nodes(&ran), ["regular: unchanged 2", "spender: error -"]);
    assert!(ran.err.contains("'amount': 'siedem'"), "{}", ran.err);
    // Whoever means it says so: in the definition, or by removing the pin.
    replace(here.path(), "data/orders.csv", "siedem", "7.50");
    std::fs::remove_file(here.path().join("segql.lock")).expect("there");
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(nodes(&ran), ["coded: success 3"], "{}", ran.err);
    assert_eq!(pinned(here.path())[1], "[\"code\", \"VARCHAR\"],");
}

#[test]
fn a_changed_definition_is_looked_into_anew() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    replace(
        here.path(),
        "sql/codes.sql",
        "key = 'customer_id'",
        "key = 'customer_id', columns = 'code VARCHAR'",
    );
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // What the definition says needs no pin.
    let lock = std::fs::read_to_string(here.path().join("segql.lock")).expect("a lock");
    assert!(!lock.contains("\"code\""), "{lock}");
}

/// What has nothing to do with types must not be the occasion for another.
#[test]
fn a_changed_definition_does_not_change_types_in_silence() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    let changed = "key = 'customer_id', demographic = 'code'";
    replace(here.path(), "sql/codes.sql", "key = 'customer_id'", changed);
    // Values that fit, and none at all, are fine.
    for data in [
        "customer_id,code\n10,7\n11,9\n",
        "customer_id,code\n10,\n11,\n",
    ] {
        write(here.path(), "data/codes.csv", data);
        let ran = march(here.path(), &["coded", "--restate", "--dry-run"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let described = rows_with(here.path(), "DESCRIBE codes", &[]);
        assert!(described.contains("code,BIGINT"), "{described}");
    }
    let wider = "customer_id,code\n10,7\n11,8\n12,A9\n";
    write(here.path(), "data/codes.csv", wider);
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(nodes(&ran), ["coded: error -"], "{}", ran.err);
    for told in [
        "source codes",
        "'code' is BIGINT in segql.lock, and VARCHAR",
        "line 4",
        "'A9'",
    ] {
        assert!(ran.err.contains(told), "{told} in {}", ran.err);
    }
    assert_eq!(pinned(here.path())[1], "[\"code\", \"BIGINT\"],");
    let settled = "key = 'customer_id', columns = '\"code\" VARCHAR'";
    replace(here.path(), "sql/codes.sql", changed, settled);
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(nodes(&ran), ["coded: success 3"], "{}", ran.err);
}

/// Of a file that has no other columns than the pinned ones the head says it all;
/// what is wrong further down is told to whoever reads it, even to count its rows.
#[test]
fn pinned_files_are_not_looked_into_again() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    let broken = "customer_id,code\n10,7\n11,8\n12,9,9\n";
    write(here.path(), "data/codes.csv", broken);
    let described = rows_with(here.path(), "DESCRIBE codes", &[]);
    assert_eq!(described, "customer_id,BIGINT\ncode,BIGINT\n");
    for query in ["SELECT code FROM codes", "SELECT count(*) FROM codes"] {
        let ran = run(here.path(), &["-c", query]);
        assert_eq!(ran.code, 1, "{query}");
        assert!(
            ran.err.contains("line 4") && ran.err.contains("3 fields where 2 were expected"),
            "{query}: {}",
            ran.err
        );
    }
    // A column more is one to look into.
    write(
        here.path(),
        "data/codes.csv",
        &broken.replace("code\n", "code,more\n"),
    );
    let ran = run(here.path(), &["-c", "DESCRIBE codes"]);
    assert!(
        ran.err.contains("2 fields where 3 were expected"),
        "{}",
        ran.err
    );
}

/// Locks say what they said before options of [defaults] were a part of them.
#[test]
fn a_lock_is_of_the_definition_as_it_is_written() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    let path = here.path().join("segql.lock");
    let lock = std::fs::read_to_string(&path).expect("a lock");
    // The head of the SHA-256 of the statement's text, by sha256sum.
    assert!(lock.contains("definition = \"13f02872ad5f3b01\""), "{lock}");
    // A default that does not decide how files are read is another matter.
    let toml = std::fs::read_to_string(here.path().join("segql.toml")).expect("there");
    let defaults = format!("{toml}[defaults.\"sql/**\"]\nsensitive = \"code\"\n");
    write(
        here.path(),
        "segql.toml",
        &defaults.replace("sql/**", "sql/codes.sql"),
    );
    march(here.path(), &["coded", "--restate"]);
    assert_eq!(std::fs::read_to_string(&path).expect("a lock"), lock);
}

#[test]
fn columns_that_come_and_go() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    // One more: added to the lock, nothing else changes.
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,note,code\n10,a,7\n11,b,8\n",
    );
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: unchanged 2"], "{}", ran.err);
    assert!(pinned(here.path()).contains(&"[\"note\", \"VARCHAR\"],".to_owned()));
    // One less is named, with what is there.
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,note\n10,a\n11,b\n",
    );
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: error -"]);
    assert!(
        ran.err.contains("source codes: column 'code'")
            && ran.err.contains("segql.lock")
            && ran.err.contains("their columns are customer_id, note"),
        "{}",
        ran.err
    );
}

#[test]
fn a_damaged_lock_is_an_error_not_a_guess() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    let lock = std::fs::read_to_string(here.path().join("segql.lock")).expect("there");
    let conflict = format!("<<<<<<< ours\n{lock}=======\n{lock}>>>>>>> theirs\n");
    let longer = format!("{lock}x = 1\n");
    for text in [
        conflict.as_str(),
        "",
        "version = \"one\"\n",
        longer.as_str(),
    ] {
        write(here.path(), "segql.lock", text);
        for command in [&AS_OF[..], &["check"]] {
            let ran = run(here.path(), command);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
            assert!(
                ran.err.contains("segql.lock") && ran.err.contains("remove it"),
                "{}",
                ran.err
            );
        }
    }
    std::fs::remove_file(here.path().join("segql.lock")).expect("there");
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: unchanged 2"], "{}", ran.err);
    let anew = std::fs::read_to_string(here.path().join("segql.lock")).expect("written anew");
    assert_eq!(anew, lock);
}
