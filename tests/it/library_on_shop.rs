//! The whole library on the demo shop: every segment says something of somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use segql::catalog::libraries;

use crate::command::run;

/// Nobody is in these at the end of 2025, and why.
const EMPTY: [(&str, &str); 6] = [
    ("b2b.kinds:unknown", "everybody said at the sign-up"),
    ("carts.stages:open", "nobody shops at midnight"),
    (
        "contactability.duplicates",
        "a check of the shop holds addresses unique",
    ),
    ("engagement.email:asleep", "one mail in 90 days is too few"),
    ("geographic.markets:unknown", "everybody has a country"),
    ("leads.statuses:other", "a check of the shop knows all"),
];

/// Segments and declared labels of all libraries.
fn promised() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for library in libraries().expect("manifests parse") {
        let catalog = library.catalog().expect("parses");
        for it in library.own(&catalog).filter(|it| it.kind().has_members()) {
            all.insert(it.name.clone());
            let labels = it.labels().into_iter();
            all.extend(labels.map(|label| format!("{}:{label}", it.name)));
        }
    }
    all
}

#[test]
fn every_segment_of_the_library_has_somebody_in_the_shop() {
    let store = tempfile::tempdir().expect("a folder");
    let store = store.path().to_string_lossy().into_owned();
    let all = libraries().expect("manifests parse").into_iter();
    let all = all.filter(|it| !["base", "features"].contains(&it.name.as_str()));
    let selectors: Vec<String> = all.map(|it| format!("{}.*", it.name)).collect();
    let mut arguments = vec!["run", "--project", "examples/shop", "--as-of", "2025-12-31"];
    arguments.extend(["--store", &store, "--format", "csv"]);
    arguments.extend(selectors.iter().map(String::as_str));
    let ran = run(Path::new("."), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let size = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let size = fields.get(3).and_then(|it| it.parse().ok());
        (fields[0].to_owned(), size.unwrap_or(0))
    };
    let sizes: BTreeMap<String, u64> = ran.out.lines().skip(1).map(size).collect();
    let is_empty = |name: &String| sizes.get(name).is_none_or(|size| *size == 0);
    let promised = promised();
    assert!(promised.len() > 100, "only {}", promised.len());
    let empty: Vec<&String> = promised.iter().filter(|name| is_empty(name)).collect();
    assert_eq!(empty, EMPTY.map(|(name, _)| name));
}
