//! The small project that tests of runs share, and what is asked of it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Ran, run};

pub(crate) const AS_OF: [&str; 3] = ["run", "--as-of", "2025-03-31"];

pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes folders");
    std::fs::write(path, text).expect("writes");
}

/// A project that fits on a page: six orders of three customers.
pub(crate) fn project() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    write(
        here.path(),
        "segql.toml",
        "name = \"small\"\n[target.dev]\nstore = \"store\"\n[vars]\nmany = 2\n",
    );
    write(
        here.path(),
        "data/orders.csv",
        "order_id,customer_id,ordered_at,amount\n\
         1,10,2025-01-05 10:00:00,20.00\n2,10,2025-02-05 10:00:00,30.00\n\
         3,11,2025-02-10 09:00:00,5.00\n4,12,2025-03-01 12:00:00,7.50\n\
         5,12,2025-03-02 12:00:00,2.50\n6,12,2025-03-31 23:30:00,90.00\n",
    );
    // The order of files and statements does not matter: names come first.
    write(
        here.path(),
        "sql/a_segments.sql",
        "-- Bought often.\nCREATE SEGMENT regular AS SELECT customer_id, orders FROM totals WHERE orders >= $many;\n\
         CREATE SEGMENT spender AS SELECT customer_id FROM totals WHERE spent > 40;\n\
         CREATE SEGMENT both_of_them AS SELECT customer_id FROM regular WHERE customer_id IN (SELECT customer_id FROM spender);\n\
         CREATE SEGMENTATION size AS SELECT customer_id, CASE WHEN spent > 40 THEN 'large' ELSE 'small' END AS label FROM totals;\n",
    );
    write(
        here.path(),
        "sql/z_base.sql",
        "CREATE VIEW totals AS SELECT customer_id, count(*) AS orders, sum(amount) AS spent FROM orders GROUP BY customer_id;\n\
         CREATE ENTITY customer FROM customers KEY customer_id;\n\
         CREATE VIEW customers AS SELECT DISTINCT customer_id FROM orders;\n\
         CREATE SOURCE orders FROM 'data/orders.csv' WITH (key = 'order_id', event_time = 'ordered_at');\n\
         CREATE CHECK no_gifts AS SELECT * FROM orders WHERE amount <= 0;\n",
    );
    here
}

pub(crate) fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.out, ran.err))
}

/// `name: status size` of every node.
pub(crate) fn nodes(ran: &Ran) -> Vec<String> {
    let record = json(ran);
    let nodes = record["nodes"].as_array().expect("nodes");
    nodes
        .iter()
        .map(|node| {
            let text = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
            let rows = node["rows"]
                .as_u64()
                .map_or("-".to_owned(), |rows| rows.to_string());
            format!("{}: {} {rows}", text("name"), text("status"))
        })
        .collect()
}

/// `segql run` as of the end of March 2025, its record as JSON.
pub(crate) fn march(folder: &Path, more: &[&str]) -> Ran {
    run(folder, &[&AS_OF[..], &["--format", "json"], more].concat())
}

/// The names of the nodes of a run, in order.
pub(crate) fn names(ran: &Ran) -> Vec<String> {
    let short = |node: &String| node.split(": ").next().unwrap_or_default().to_owned();
    nodes(ran).iter().map(short).collect()
}

/// `segql run` with its record as JSON.
pub(crate) fn as_of(folder: &Path, date: &str, more: &[&str]) -> Ran {
    let run_json = ["run", "--format", "json", "--as-of", date];
    run(folder, &[&run_json[..], more].concat())
}

/// The snapshots of a segment: date, size, and whether it is provisional.
pub(crate) fn snapshots(folder: &Path, segment: &str) -> String {
    let query = format!(
        "SELECT as_of, size, provisional FROM segql.snapshots WHERE segment = '{segment}' ORDER BY as_of"
    );
    rows(folder, &query)
}

/// The rows of a query as CSV, without the header.
pub(crate) fn rows(folder: &Path, query: &str) -> String {
    rows_with(folder, query, &[])
}

/// The same with more arguments.
pub(crate) fn rows_with(folder: &Path, query: &str, more: &[&str]) -> String {
    let ran = run(
        folder,
        &[&["--format", "csv", "-c", query][..], more].concat(),
    );
    assert_eq!(ran.code, 0, "{query}: {}", ran.err);
    let (_, rows) = ran.out.split_once('\n').expect("a header");
    rows.to_owned()
}

pub(crate) fn replace(folder: &Path, name: &str, old: &str, new: &str) {
    let text = std::fs::read_to_string(folder.join(name)).expect("there");
    assert!(text.contains(old), "{old} in {text}");
    write(folder, name, &text.replace(old, new));
}

/// Gives the segment `spender` another condition in the place of `spent > …;`.
pub(crate) fn spender(folder: &Path, condition: &str) {
    let file = folder.join("sql/a_segments.sql");
    let text = std::fs::read_to_string(&file).expect("there");
    let start = text.find("SEGMENT spender").expect("the segment");
    let start = start + text[start..].find("WHERE ").expect("its condition") + 6;
    let end = start + text[start..].find(';').expect("its end");
    let text = format!("{}{condition}{}", &text[..start], &text[end..]);
    std::fs::write(file, text).expect("writes");
}

pub(crate) fn members(folder: &Path, segment: &str, date: &str) -> PathBuf {
    folder.join(format!("store/{segment}/as_of={date}/members.parquet"))
}

pub(crate) fn add(folder: &Path, order: &str) {
    let orders = folder.join("data/orders.csv");
    let text = std::fs::read_to_string(&orders).expect("there");
    std::fs::write(orders, format!("{text}{order}\n")).expect("writes");
}

/// Files in a folder; none when it is not there.
pub(crate) fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
