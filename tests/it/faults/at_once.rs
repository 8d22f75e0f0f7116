//! Several runs at once on one store.

use std::collections::BTreeSet;

use super::times;
use super::versions::{
    SEGMENTS, assert_heals, assert_whole, check_files, end, project, run_whole, start,
};
use crate::command::Ran;
use crate::small_project::json;

fn succeeded(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}", ran.err);
    let record = json(ran);
    let nodes = record["nodes"].as_array().expect("nodes");
    let done = |status: &str| ["success", "unchanged"].contains(&status);
    assert!(
        nodes
            .iter()
            .all(|it| done(it["status"].as_str().unwrap_or_default())),
        "{nodes:?}"
    );
}

/// All say something else of the same finished day: every one is whole, the last counts,
/// and each that was replaced is kept.
#[test]
fn runs_of_the_same_segments_follow_one_another() {
    for (runs, rounds) in [(2, times(2, 20)), (10, times(1, 5))] {
        for round in 0..rounds {
            let when = format!("{runs} at once, round {round}");
            let here = project();
            run_whole(here.path(), 0);
            let versions: Vec<i64> = (1..=runs).collect();
            let children: Vec<_> = versions
                .iter()
                .map(|it| start(here.path(), *it, &[]))
                .collect();
            for child in children {
                succeeded(&end(child));
            }
            assert_whole(here.path(), &versions, &when);
            for (segment, _) in SEGMENTS {
                let kept = here.path().join(format!("store/_segql/versions/{segment}"));
                let files = crate::killed::files(&kept).into_iter();
                let ids: BTreeSet<_> = files
                    .filter(|path| path.extension().is_some_and(|it| it == "parquet"))
                    .collect();
                assert_eq!(
                    ids.len() as i64,
                    runs + 1,
                    "{when}: {segment} lost a version"
                );
            }
            assert_heals(here.path(), runs + 1, &when);
        }
    }
}

/// Nobody waits for a segment of another, and nobody loses one.
#[test]
fn runs_of_different_segments_do_not_meet() {
    for round in 0..times(2, 10) {
        let here = project();
        run_whole(here.path(), 0);
        // Three of each segment, of the same version: one does the work of all.
        let children: Vec<_> = (0..9)
            .map(|number| {
                let place = number % SEGMENTS.len();
                start(here.path(), 1 + place as i64, &[SEGMENTS[place].0])
            })
            .collect();
        for child in children {
            succeeded(&end(child));
        }
        let found = check_files(&here.path().join("store"));
        let expected = SEGMENTS.iter().enumerate();
        let expected = expected.map(|(place, (segment, _))| (*segment, 1 + place as i64));
        assert!(found.into_iter().eq(expected), "round {round}");
        assert_heals(here.path(), 9, &format!("round {round}"));
    }
}
