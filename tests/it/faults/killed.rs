//! `kill -9` at random moments of whatever writes to a store.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::times;
use super::versions::{assert_heals, assert_whole, project, run_whole};
use crate::command::{run, segql};
use crate::dice::Dice;
use crate::killed::run_killed;
use crate::store_state::{assert_clean_when_pruned, assert_undamaged, succeeded};

/// A moment out of so long, to the microsecond.
fn moment(dice: &mut Dice, longest: Duration) -> Duration {
    Duration::from_micros(dice.below(longest.as_micros() as usize) as u64)
}

/// How long a command takes that nobody disturbs, and a little more.
fn time(done: impl FnOnce()) -> Duration {
    let clock = Instant::now();
    done();
    clock.elapsed().mul_f64(1.1)
}

#[test]
fn a_run_killed_at_a_random_moment_leaves_whole_snapshots() {
    let here = project();
    let root = here.path();
    run_whole(root, 0);
    let mut longest = time(|| run_whole(root, 1));
    let mut dice = Dice(20_261_122);
    let (mut version, mut hit) = (1, 0);
    let all = times(20, 200);
    for number in 0..all {
        let after = moment(&mut dice, longest);
        let when = format!("kill {number} after {after:?}");
        let killed = run_killed(root, version + 1, after);
        hit += u32::from(killed);
        let versions = [version + i64::from(!killed), version + 1];
        assert_whole(root, &versions, &when);
        // Every other time the next run finds the remains of two.
        if dice.below(2) == 0 {
            run_killed(root, version + 2, moment(&mut dice, longest));
            assert_whole(root, &[version, version + 1, version + 2], &when);
        }
        version += 3;
        longest = time(|| run_whole(root, version));
        assert_heals(root, version, &when);
    }
    assert!(
        hit >= all / 4,
        "only {hit} of {all} runs were still at work"
    );
}

/// Starts a command and kills it; was it still at work?
fn killed(root: &Path, arguments: &[&str], after: Duration) -> bool {
    let mut command = segql(root);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("starts");
    std::thread::sleep(after);
    child.kill().expect("can be killed, or has ended");
    child.wait().expect("ends").code().is_none()
}

/// Segments and dates in the store, all of whose members can be read.
fn snapshots(root: &Path) -> Vec<String> {
    let query = "SELECT s.segment, s.as_of, s.size, count(m.key) FROM segql.snapshots AS s
                 LEFT JOIN segql.members AS m ON m.segment = s.segment AND m.as_of = s.as_of
                 GROUP BY s.segment, s.as_of, s.size ORDER BY 1, 2";
    let ran = run(root, &["--format", "csv", "-c", query]);
    succeeded(&ran);
    let lines = ran.out.lines().skip(1).map(str::to_owned);
    lines.collect()
}

#[test]
fn a_rename_killed_at_a_random_moment_is_finished_by_another_call() {
    let here = project();
    let root = here.path();
    for version in 0..3 {
        run_whole(root, version);
    }
    let names = |from: &str, to: &str| {
        [
            "store".to_owned(),
            "rename".to_owned(),
            from.to_owned(),
            to.to_owned(),
        ]
    };
    let expected = |name: &str| {
        let all = snapshots(root)
            .into_iter()
            .filter(|it| it.starts_with(name));
        all.map(|it| it[name.len()..].to_owned())
            .collect::<Vec<_>>()
    };
    let whole = expected("one");
    assert_eq!(whole.len(), 1);
    let rename = |from: &str, to: &str| {
        let words = names(from, to);
        succeeded(&run(root, &words.each_ref().map(String::as_str)));
    };
    let longest = time(|| rename("one", "uno"));
    let mut dice = Dice(7);
    let (mut from, mut to) = ("uno", "one");
    for number in 0..times(20, 200) {
        let words = names(from, to);
        let words = words.each_ref().map(String::as_str);
        let after = moment(&mut dice, longest);
        killed(root, &words, after);
        let when = format!("kill {number} after {after:?}");
        assert_undamaged(root, &when);
        // Whole under one name, or both.
        let found = [expected(from), expected(to)];
        assert!(found.contains(&whole), "{when}: {found:?}");
        assert!(
            found.iter().all(|it| it.is_empty() || *it == whole),
            "{when}: {found:?}"
        );
        let last = run(root, &words);
        // Before anything began or after all was done.
        assert!(
            last.code == 0 || last.err.contains("no snapshot of a segment"),
            "{when}: {}",
            last.err
        );
        assert_eq!(
            [expected(from), expected(to)],
            [vec![], whole.clone()],
            "{when}"
        );
        std::mem::swap(&mut from, &mut to);
    }
}

#[test]
fn tidying_killed_at_a_random_moment_is_finished_by_another_call() {
    let here = project();
    let root = here.path();
    let mut dice = Dice(11);
    let mut longest = Duration::from_millis(300);
    for number in 0..times(10, 100) {
        let (version, key) = (i64::from(number), format!("{}", 100 + number));
        run_whole(root, 2 * version);
        run_whole(root, 2 * version + 1);
        let forget = ["forget", key.as_str()];
        let prune = ["store", "prune", "--keep", "1"];
        for words in [&forget[..], &prune[..]] {
            let after = moment(&mut dice, longest);
            killed(root, words, after);
            let when = format!("{} {number} after {after:?}", words[0]);
            assert_undamaged(root, &when);
            longest = time(|| succeeded(&run(root, words))).max(Duration::from_millis(50));
            assert_undamaged(root, &when);
        }
        let left = format!("SELECT count(*) AS people FROM segql.members WHERE key = '{key}'");
        let ran = run(root, &["--format", "csv", "-c", &left]);
        assert_eq!(ran.out, "people\n0\n", "{number}: {}", ran.err);
    }
    run_whole(root, 1000);
    assert_clean_when_pruned(root, "after all");
}
