//! What `segql store check` says of a store, and what hands do to one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Ran, run};

/// The findings of a check, and how it ended.
pub(crate) fn findings(root: &Path) -> (i32, Vec<Value>) {
    let ran = run(root, &["store", "check", "--format", "json"]);
    let found = serde_json::from_str(&ran.out);
    (
        ran.code,
        found.unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.out, ran.err)),
    )
}

/// `condition file` of every finding; only damage makes the command fail.
pub(crate) fn found(root: &Path) -> Vec<String> {
    let (code, found) = findings(root);
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let is_damaged = found.iter().any(|it| it["condition"] == "damaged");
    assert_eq!(code, i32::from(is_damaged), "{found:?}");
    let lines = found.iter();
    lines
        .map(|it| format!("{} {}", text(it, "condition"), text(it, "file")))
        .collect()
}

/// Nothing is damaged; what runs that were cut off left is no harm.
pub(crate) fn assert_undamaged(root: &Path, when: &str) {
    let (code, found) = findings(root);
    let mut found = found.iter();
    let damaged = found.find(|it| it["condition"] != "leftover");
    assert_eq!((code, damaged), (0, None), "{when}");
}

/// What was left goes, and then nothing is there that should not be.
pub(crate) fn assert_clean_when_pruned(root: &Path, when: &str) {
    let ran = run(root, &["store", "prune", "--keep", "1000", "-q"]);
    assert_eq!(ran.code, 0, "{when}: {}", ran.err);
    assert_eq!(found(root), [""; 0], "{when}");
}

/// Every file below a folder with its bytes, by its name.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .expect("below")
                .display()
                .to_string();
            found.insert(name, std::fs::read(path).expect("readable"));
        }
    }
    found
}

/// The files of a tree by name, locks aside.
pub(crate) fn names(root: &Path) -> Vec<String> {
    let names = tree(root).into_keys();
    names
        .filter(|name| !name.starts_with("_segql/locks"))
        .collect()
}

/// The only file of a folder with this ending.
pub(crate) fn only(folder: &Path, ending: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths = paths.filter(|path| path.extension().is_some_and(|it| it == ending));
    let (first, other) = (paths.next(), paths.next());
    assert_eq!(other, None);
    first.expect("one file")
}

/// Changes a JSON file.
pub(crate) fn change(path: &Path, edit: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(path).expect("readable");
    let mut value = serde_json::from_str(&text).expect("JSON");
    edit(&mut value);
    std::fs::write(path, value.to_string()).expect("writes");
}

pub(crate) fn succeeded(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}
