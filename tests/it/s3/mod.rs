//! A store in a bucket keeps what one in a folder keeps, whatever the network and other
//! runs do meanwhile. The server is moto; it is looked at past segql.

mod client;
mod faults;
mod http;
mod interrupted;
mod proxy;
mod server;
mod tidied;
mod together;

use std::collections::BTreeMap;
use std::path::Path;

use client::{Client, MARCH};
use server::server;

use crate::small_project::{nodes, spender, write};

/// Files below a folder, by name.
fn below(folder: &Path, base: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            below(&path, base, found);
            continue;
        }
        let name = path.strip_prefix(base).expect("below").to_string_lossy();
        found.insert(name.into_owned(), std::fs::read(&path).expect("readable"));
    }
}

#[test]
fn a_bucket_holds_the_very_files_of_a_folder() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "same-files");
    let text = "CREATE SEGMENT \"Żółw 100%\" AS SELECT customer_id FROM totals;";
    write(client.path(), "sql/odd.sql", text);
    let ends = ["--from", "2025-02-28", "--to", MARCH, "--every", "month"];
    let ran = client.run(&[&["replay"], &ends[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    for date in ["2025-02-28", MARCH] {
        let ran = client.materialise(date, &["--store", "folder"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let mut expected = BTreeMap::new();
    let folder = client.path().join("folder");
    below(&folder, &folder, &mut expected);
    let mut objects = client.objects();
    // Locks are of a folder only; records tell of times.
    let is_compared = |name: &String| !name.contains("/locks/") && !name.contains("/runs/");
    expected.retain(|name, _| is_compared(name));
    objects.retain(|name, _| is_compared(name));
    assert!(objects.keys().eq(expected.keys()), "{:?}", objects.keys());
    // Five of them at two dates, each for everyone and under its id.
    let files: Vec<_> = objects
        .keys()
        .filter(|it| it.ends_with(".parquet"))
        .collect();
    assert_eq!(files.len(), 20);
    for name in files {
        assert!(objects[name] == expected[name], "{name}");
    }
}

#[test]
fn snapshots_are_read_back_from_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "read-back");
    assert_eq!(client.materialise("2025-02-28", &[]).code, 0);
    let ran = client.materialise(MARCH, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("store s3://read-back/seg"), "{}", ran.err);
    let again = client.materialise(MARCH, &[]);
    assert!(
        nodes(&again).iter().all(|node| node.contains("unchanged")),
        "{}",
        again.out
    );
    // By the end of February 10 had bought twice, 12 not at all.
    let february = "SELECT * FROM members('regular', DATE '2025-02-28')";
    assert_eq!(client.rows(february), "10,2\n");
    let both = "SELECT now.customer_id FROM members('regular', DATE '2025-03-31') AS now \
                LEFT JOIN members('regular', DATE '2025-02-28') AS was USING (customer_id) \
                WHERE was.customer_id IS NULL";
    assert_eq!(client.rows(both), "12\n");
    let entered = "SELECT key, entered_on FROM segql.members WHERE segment = 'regular' \
                   AND as_of = DATE '2025-03-31' ORDER BY key";
    assert_eq!(client.rows(entered), "10,2025-02-28\n12,2025-03-31\n");
    let files = "SELECT file FROM segql.snapshots WHERE segment = 'regular' ORDER BY as_of LIMIT 1";
    assert_eq!(
        client.rows(files),
        "s3://read-back/seg/regular/as_of=2025-02-28/members.parquet\n"
    );
    let runs = "SELECT count(DISTINCT run) FROM segql.runs";
    assert_eq!(client.rows(runs), "3\n");
    let cache = client.run(&["cache"]);
    assert_eq!(cache.code, 0);
    assert!(
        cache.err.contains("states are kept in folders only"),
        "{}",
        cache.err
    );
}

#[test]
fn a_finished_day_is_restated_in_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "restated");
    assert_eq!(client.materialise(MARCH, &["spender"]).code, 0);
    let first = client.own("versions");
    spender(client.path(), "spent > 60");
    let refused = client.materialise(MARCH, &["spender"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("0 enter, 1 leave, 2 → 1 members")
            && refused.err.contains("--restate"),
        "{}",
        refused.err
    );
    assert_eq!(client.own("versions"), first);
    assert!(client.own("staged").is_empty());
    let restated = client.materialise(MARCH, &["spender", "--restate"]);
    assert_eq!(nodes(&restated), ["spender: success 1"], "{}", restated.err);
    let query = "SELECT customer_id FROM members('spender', DATE '2025-03-31')";
    assert_eq!(client.rows(query), "12\n");
    // The old version with its record, and the new one.
    let versions = client.own("versions");
    assert_eq!(versions.len(), 3, "{versions:?}");
    assert!(versions.is_superset(&first), "{versions:?}");
    assert!(client.own("staged").is_empty());
}

#[test]
fn a_day_that_is_not_over_is_replaced_in_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "provisional");
    let today = ["--format", "csv", "-c", "SELECT as_of()"];
    let today = client.run(&today).out;
    let today = today.lines().nth(1).expect("a date");
    // On the last island to see a day, it is not over for a while.
    let zone = ["--time-zone", "Pacific/Pago_Pago", "spender"];
    assert_eq!(client.materialise(today, &zone).code, 0);
    let first = client.own("versions");
    spender(client.path(), "spent > 60");
    assert_eq!(
        nodes(&client.materialise(today, &zone)),
        ["spender: success 1"]
    );
    let second = client.own("versions");
    assert_eq!(second.len(), 1, "what was provisional is gone: {second:?}");
    assert_ne!(first, second);
}

#[test]
fn a_target_may_be_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "target");
    let toml = "name = \"small\"\n[vars]\nmany = 2\n[target.prod]\nstore = \"s3://target/all\"\n";
    write(client.path(), "segql.toml", toml);
    let arguments = ["run", "--as-of", MARCH, "--target", "prod", "regular"];
    let mut command = client.command(server.port, &arguments);
    let ran = client::ran(command.env_remove("SEGQL_STORE"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("store s3://target/all"), "{}", ran.err);
    let key = "all/regular/as_of=2025-03-31/members.parquet";
    assert!(server.keys("target").contains(&key.to_owned()));
}

#[test]
fn names_that_differ_in_case_are_refused_in_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "cases");
    assert_eq!(client.materialise(MARCH, &["regular"]).code, 0);
    let text = "CREATE SEGMENT \"REGULAR\" AS SELECT customer_id FROM totals;";
    write(client.path(), "sql/a_segments.sql", text);
    let ran = client.materialise(MARCH, &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("differs from 'REGULAR' only in case"),
        "{}",
        ran.err
    );
}
