//! Files of a store that break, one after the other, and those of others among them.

use super::times;
use super::versions::{assert_heals, end, project, run_whole, start};
use crate::small_project::write;
use crate::store_state::{findings, found, names};

/// What is done to the bytes of a file.
type Way = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Ways in which a file can go wrong.
const WAYS: [Way; 3] = [
    ("cut in half", |bytes| bytes[..bytes.len() / 2].to_vec()),
    ("empty", |_| vec![]),
    ("something else", |bytes| {
        bytes.iter().map(|byte| byte ^ 0x55).collect()
    }),
];

/// A run makes anew what it finds broken, whichever file that is, and says so of the rest.
#[test]
fn a_run_heals_whatever_file_is_broken() {
    let ways = times(1, WAYS.len() as u32) as usize;
    for (way, broken) in &WAYS[..ways] {
        let here = project();
        let root = here.path();
        run_whole(root, 0);
        run_whole(root, 1);
        let store = root.join("store");
        for name in names(&store) {
            let Ok(bytes) = std::fs::read(store.join(&name)) else {
                continue;
            };
            let when = format!("{way}: {name}");
            std::fs::write(store.join(&name), broken(&bytes)).expect("writes");
            let ran = end(start(root, 1, &[]));
            assert_eq!(ran.code, 0, "{when}: {}", ran.err);
            // What only it could tell is told of as lost, and nothing else is.
            let damaged: Vec<String> = found(root)
                .into_iter()
                .filter(|it| it.starts_with("damaged"))
                .collect();
            let is_past = name.starts_with("_segql/runs/") || name.starts_with("_segql/versions/");
            let expected = match is_past && !damaged.is_empty() {
                true => vec![format!("damaged {name}")],
                false => vec![],
            };
            assert_eq!(damaged, expected, "{when}");
            std::fs::write(store.join(&name), bytes).expect("writes");
        }
        // Bytes were put back in the files that links share: all is as it was.
        assert_heals(root, 2, way);
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let here = project();
    let root = here.path();
    run_whole(root, 0);
    let store = root.join("store");
    let foreign = [
        ".DS_Store",
        "README.txt",
        "one/notes.csv",
        "one/as_of=2025-01-31/_SUCCESS",
        "one/as_of=never/members.parquet",
        "_segql/snapshots/one/notes.json",
        "_segql/runs/readme.txt",
        "_segql/staged/notes.txt",
        "other/as_of=2025-01-31/members.parquet",
    ];
    for name in foreign {
        write(&store, name, "not segql's");
    }
    run_whole(root, 1);
    let prune = crate::command::run(root, &["store", "prune", "--keep", "0"]);
    assert_eq!(prune.code, 0, "{}", prune.err);
    let (code, found) = findings(root);
    assert_eq!(code, 0, "{found:?}");
    let mut files: Vec<&str> = found.iter().filter_map(|it| it["file"].as_str()).collect();
    files.sort_unstable();
    let mut expected = foreign;
    expected.sort_unstable();
    assert_eq!(files, expected);
    for name in foreign {
        let text = std::fs::read_to_string(store.join(name)).expect("there");
        assert_eq!(text, "not segql's", "{name}");
    }
}
