//! A project whose members say of which version they are, at one date.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::command::{Ran, run, segql};
pub(super) use crate::killed::{
    SEGMENTS, arguments, check_command, check_files, project, run_whole,
};
use crate::store_state::{assert_clean_when_pruned, assert_undamaged};

/// Starts a run of a version, of some segments or all.
pub(super) fn start(root: &Path, version: i64, segments: &[&str]) -> Child {
    let mut command = segql(root);
    command.args(arguments(version)).args(segments);
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    pipes.spawn().expect("starts")
}

pub(super) fn end(child: Child) -> Ran {
    child.wait_with_output().expect("ends").into()
}

/// Every snapshot is whole and of one of these versions, for people and for programs.
pub(super) fn assert_whole(root: &Path, versions: &[i64], when: &str) {
    let found = check_files(&root.join("store"));
    assert!(
        found.values().all(|it| versions.contains(it)),
        "{when}: {found:?}, not {versions:?}"
    );
    assert_undamaged(root, when);
    check_command(root, &found);
}

/// The next run puts right what is left, and then nothing is left.
pub(super) fn assert_heals(root: &Path, version: i64, when: &str) {
    run_whole(root, version);
    assert_whole(root, &[version], when);
    assert_clean_when_pruned(root, when);
}

/// What a run said, where it had to fail with a message about something.
pub(super) fn assert_failed_clearly(ran: &Ran, about: &[&str], when: &str) {
    assert_eq!(ran.code, 1, "{when}: {}{}", ran.out, ran.err);
    assert!(ran.err.contains("error: "), "{when}: {}", ran.err);
    assert!(
        about.iter().any(|it| ran.err.contains(it)),
        "{when}: {}",
        ran.err
    );
    for never in ["panicked", "RUST_BACKTRACE", "unwrap", "Os {", "Error("] {
        assert!(!ran.err.contains(never), "{when}: {}", ran.err);
    }
}

/// The keys of a segment as SQL sees them.
pub(super) fn can_be_read(root: &Path) -> bool {
    let query = "SELECT count(*) AS people FROM segql.members";
    run(root, &["--format", "csv", "-c", query]).code == 0
}
