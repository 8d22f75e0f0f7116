//! Windows under a memory limit: rows wait in a file, and the process stays small.

use crate::peak::measured;

const ROWS: &str =
    "SELECT value AS n, repeat('x', 60) || value AS text FROM generate_series(1, 2000000)";

/// Some 260 MB of rows under a limit of 100 MB; held and copied they would be beyond 500.
#[test]
fn rows_beyond_the_limit_are_given_out_again() {
    let here = tempfile::tempdir().expect("a folder");
    let mean = format!(
        "SELECT count(*), sum(n), min(mean), max(mean), sum(length(text)) FROM
        (SELECT n, text, avg(n) OVER () AS mean FROM ({ROWS}))"
    );
    // Digits of 1 to 2000000: 9 + 180 + 2700 + 36000 + 450000 + 5400000 + 7 * 1000001.
    let expected = "2000000,2000001000000,1000000.5,1000000.5,132888896\n";
    let limit = [
        "--memory-limit",
        "100MB",
        "--threads",
        "2",
        "--format",
        "csv",
        "-c",
    ];
    let (ran, peak) = measured(here.path(), &[&limit[..], &[&mean]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let out = ran.out;
    assert_eq!(
        out.lines()
            .nth(1)
            .map(|line| line.to_owned() + "\n")
            .as_deref(),
        Some(expected)
    );
    assert!(peak < 400 << 20, "{} MiB", peak >> 20);
    let scores = format!("SELECT s['score'] AS score, count(*), min(n), max(n), sum(length(text)) > 0 FROM
        (SELECT n, text, rfm_score(n, n, -n) OVER () AS s FROM ({ROWS})) GROUP BY score ORDER BY score");
    let (ran, peak) = measured(here.path(), &[&limit[..], &[&scores]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let out = ran.out;
    let rows: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "151,400000,1600001,2000000,true",
            "242,400000,1200001,1600000,true",
            "333,400000,800001,1200000,true",
            "424,400000,400001,800000,true",
            "515,400000,1,400000,true",
        ]
    );
    assert!(peak < 400 << 20, "{} MiB", peak >> 20);
}
