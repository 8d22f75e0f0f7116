//! Definitions that build on each other far down, and by many paths.

use std::collections::BTreeSet;

use segql::catalog::Graph;
use segql::plan::RunPlan;

use crate::command::run;
use crate::graphs::catalog;

const LEVELS: usize = 200;

/// Each level adds 1 to `n` of the one below; the text names the top first.
fn chain(kind: &str) -> String {
    let level = |at: usize| match at {
        0 => format!(
            "CREATE {kind} d0 AS SELECT column1 AS k, column2 AS n FROM (VALUES (1, 0), (2, 10)) AS t;\n"
        ),
        _ => format!(
            "CREATE {kind} d{at} AS SELECT k, n + 1 AS n FROM d{};\n",
            at - 1
        ),
    };
    (0..LEVELS).rev().map(level).collect()
}

#[test]
fn two_hundred_levels_are_planned_and_run() {
    for kind in ["VIEW", "SEGMENT"] {
        let here = tempfile::tempdir().expect("a folder");
        // The shell's order is the ground first, a project's is any.
        let text: Vec<String> = chain(kind).lines().rev().map(str::to_owned).collect();
        let script = format!(
            "{}\nSELECT k, n FROM d{} ORDER BY k",
            text.join("\n"),
            LEVELS - 1
        );
        let ran = run(here.path(), &["--format", "csv", "-c", &script]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "k,n\n1,199\n2,209\n"),
            "{kind}: {}",
            ran.err
        );
    }
}

#[test]
fn two_hundred_levels_of_segments_are_materialised() {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(here.path().join("sql")).expect("a folder");
    std::fs::write(here.path().join("segql.toml"), "name = \"deep\"\n").expect("writes");
    let text = chain("SEGMENT").replace(" AS SELECT", " WITH (key = 'k') AS SELECT");
    std::fs::write(here.path().join("sql/deep.sql"), text).expect("writes");
    let top = format!("d{}", LEVELS - 1);
    let ran = run(
        here.path(),
        &["run", &top, "--as-of", "2025-01-31", "--format", "json"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let query = format!("SELECT k, n FROM members('{top}', DATE '2025-01-31') ORDER BY k");
    let ran = run(here.path(), &["--format", "csv", "-c", &query]);
    assert_eq!(ran.out, "k,n\n1,199\n2,209\n", "{}", ran.err);
}

/// `levels` diamonds on top of each other: 2^levels paths from the top to the bottom.
fn ladder(levels: usize) -> String {
    let mut text = "CREATE VIEW d0 AS SELECT 1 AS k, 0 AS n;\n".to_owned();
    for at in 1..=levels {
        let below = at - 1;
        text.push_str(&format!(
            "CREATE VIEW l{at} AS SELECT k, n + 1 AS n FROM d{below};\n\
             CREATE VIEW r{at} AS SELECT k, n + 1 AS n FROM d{below};\n\
             CREATE VIEW d{at} AS SELECT l.k AS k, l.n AS n FROM l{at} AS l JOIN r{at} AS r ON l.k = r.k;\n"
        ));
    }
    text.push_str(&format!(
        "CREATE SEGMENT top WITH (key = 'k') AS SELECT k, n FROM d{levels};\n"
    ));
    text
}

#[test]
fn the_graph_walks_no_path_twice() {
    let levels = 100;
    let catalog = catalog(&ladder(levels));
    let graph = Graph::new(&catalog);
    let all = 3 * levels + 2;
    assert_eq!(graph.order(["top"]).expect("no circle").len(), all);
    assert_eq!(graph.below("top").len(), all - 1);
    assert_eq!(graph.above("d0").len(), all - 1);
    assert!(graph.faults(|_| false).is_empty());
    let chosen = BTreeSet::from(["top".to_owned()]);
    let plan = RunPlan::new(&catalog, &chosen).expect("an order");
    assert_eq!(plan.nodes, ["top"]);
    // What two sides of a diamond build on is computed once, at every level that works.
    assert_eq!(plan.shared.len(), levels - 1);
}

/// Mentions multiply along a chain whose links are named twice and do no work.
#[test]
fn counting_mentions_does_not_overflow() {
    let mut text = "CREATE VIEW d0 AS SELECT 1 AS k;\n".to_owned();
    for at in 1..=70 {
        let below = at - 1;
        text.push_str(&format!(
            "CREATE VIEW d{at} AS WITH a AS (SELECT k FROM d{below}), b AS (SELECT k FROM d{below}) SELECT k FROM a;\n"
        ));
    }
    text.push_str("CREATE SEGMENT top AS SELECT k FROM d70;\n");
    let chosen = BTreeSet::from(["top".to_owned()]);
    let plan = RunPlan::new(&catalog(&text), &chosen).expect("an order");
    assert_eq!(plan.nodes, ["top"]);
}

/// 2^20 paths: as fast as 20 levels when what is shared is planned and run once.
#[test]
fn a_ladder_of_diamonds_does_not_explode() {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(here.path().join("sql")).expect("a folder");
    std::fs::write(here.path().join("segql.toml"), "name = \"ladder\"\n").expect("writes");
    std::fs::write(here.path().join("sql/ladder.sql"), ladder(20)).expect("writes");
    let as_of = ["run", "--as-of", "2025-01-31", "--timeout", "60s"];
    let ran = run(here.path(), &as_of);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let query = "SELECT n FROM members('top', DATE '2025-01-31')";
    let ran = run(
        here.path(),
        &["--timeout", "60s", "--format", "csv", "-c", query],
    );
    assert_eq!(ran.out, "n\n20\n", "{}", ran.err);
}
