//! A disk that is full, or cannot be written, and a folder for what does not fit into
//! memory that vanishes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::times;
use super::versions::{
    assert_failed_clearly, assert_heals, assert_whole, can_be_read, check_files, end, project,
    run_whole, start,
};
use crate::command::run;
use crate::slt::say;
use crate::small_project::write;
use crate::store_state::{assert_clean_when_pruned, assert_undamaged};

/// A disk of its own where the store belongs.
struct Disk {
    project: tempfile::TempDir,
    store: PathBuf,
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut command = Command::new("mount");
    let output = command.args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}

impl Disk {
    /// None, and said so, where no disk can be mounted: that takes root.
    fn new(size: &str) -> Option<Self> {
        let project = project();
        let store = project.path().join("store");
        std::fs::create_dir(&store).expect("made");
        let size = format!("size={size}");
        if !mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &store) {
            say("SKIPPED: a full and a read-only disk were not tested: mounting one takes root");
            return None;
        }
        Some(Self { project, store })
    }

    fn root(&self) -> &Path {
        self.project.path()
    }

    /// Leaves room for so many bytes.
    fn fill(&self, left: u64) {
        let filler = self.store.join("filler");
        std::fs::write(&filler, vec![0_u8; 16 << 20]).expect_err("a smaller disk");
        // As much of it as there was room for.
        let room = std::fs::metadata(&filler).expect("there").len();
        let file = std::fs::File::options().write(true).open(&filler);
        file.and_then(|file| file.set_len(room.saturating_sub(left)))
            .expect("cut");
    }

    fn free(&self) {
        std::fs::remove_file(self.store.join("filler")).expect("there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.store).status();
    }
}

/// With so many pages a run has all the room it needs.
const PAGES: u32 = 12;

#[test]
fn a_full_disk_stops_a_run_at_any_step_and_tears_nothing() {
    // Room for the records of many runs beside what they tell of.
    let Some(disk) = Disk::new("8m") else {
        return;
    };
    let root = disk.root();
    run_whole(root, 0);
    let (mut version, mut failed) = (0, 0);
    let runs = times(PAGES, 5 * PAGES);
    for number in 0..runs {
        let page = number % PAGES;
        disk.fill(u64::from(page) * 4096);
        let ran = end(start(root, version + 1, &[]));
        let when = format!("{page} pages left");
        if ran.code != 0 {
            failed += 1;
            assert_failed_clearly(&ran, &["No space left", "space"], &when);
        }
        // Whatever became of it, and while the disk is still full.
        let found = check_files(&disk.store);
        assert!(
            found.values().all(|it| [version, version + 1].contains(it)),
            "{when}: {found:?}"
        );
        assert!(can_be_read(root), "{when}");
        disk.free();
        assert_whole(root, &[version, version + 1], &when);
        version += 2;
        assert_heals(root, version, &when);
    }
    assert!(
        failed >= runs / 4,
        "only {failed} of {runs} runs met the end of the disk"
    );
}

#[test]
fn a_store_that_cannot_be_written_can_be_read() {
    let Some(disk) = Disk::new("4m") else {
        return;
    };
    let root = disk.root();
    run_whole(root, 0);
    assert!(mount(&["-o", "remount,ro"], &disk.store), "mounted again");
    let about = ["Read-only file system"];
    assert_failed_clearly(&end(start(root, 1, &[])), &about, "another version");
    assert_failed_clearly(
        &end(start(root, 0, &[])),
        &about,
        "the run itself is recorded",
    );
    for words in [
        &["store", "rename", "one", "uno"][..],
        &["store", "prune", "--keep", "1"],
        &["forget", "7"],
    ] {
        assert_failed_clearly(&run(root, words), &about, words[0]);
    }
    let dry = run(root, &["forget", "10", "--dry-run", "--quiet"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_whole(root, &[0], "read only");
    assert!(mount(&["-o", "remount,rw"], &disk.store), "mounted again");
    assert_heals(root, 1, "written again");
}

#[test]
fn a_temporary_folder_that_vanishes_stops_what_needs_it_and_nothing_else() {
    let here = project();
    let root = here.path();
    run_whole(root, 0);
    // More rows in order than fit into memory.
    write(
        root,
        "sql/big.sql",
        "CREATE SEGMENT big AS
         SELECT (value * 7919) % 1000003 AS customer_id, repeat('x', 60 + value % 9) AS filler
         FROM generate_series(1, 1000002) WHERE value > $version;\n",
    );
    let temp = root.join("temp");
    let done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = std::fs::remove_dir_all(&temp);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        std::fs::create_dir_all(&temp).expect("made");
        let words = [
            "run",
            "--as-of",
            "2025-01-31",
            "--restate",
            "--var",
            "version=1",
        ];
        let limits = [
            "--memory-limit",
            "100MB",
            "--threads",
            "2",
            "--temp-dir",
            "temp",
        ];
        let ran = run(root, &[&words[..], &limits].concat());
        done.store(true, Ordering::Relaxed);
        ran
    });
    assert_failed_clearly(
        &ran,
        &["--temp-dir names another folder"],
        "no folder for what does not fit",
    );
    assert_undamaged(root, "the folder vanished");
    let found = check_files(&root.join("store"));
    assert!(found.values().all(|it| [0, 1].contains(it)), "{found:?}");
    run_whole(root, 2);
    assert!(check_files(&root.join("store")).values().all(|it| *it == 2));
    assert_clean_when_pruned(root, "the folder is back");
}
