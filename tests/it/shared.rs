//! What several segments of a run hold in common is computed once, and nothing else
//! about them changes.

use datafusion::arrow::array::Int64Array;
use segql::run::Sharing;
use segql::store::NodeStatus;

use crate::counted_run::{
    CUSTOMERS, Came, Given, all_succeed, events, given, members, run, statuses,
};

/// The same base in the text of each, with another filter above it.
fn written_out(count: usize) -> String {
    let segment = |at: usize| {
        format!(
            "CREATE SEGMENT s{at} WITH (key = 'customer_id') AS\n\
             WITH base AS (SELECT customer_id, count(*) AS f, sum(amount) AS m, max(text) AS t\n\
                           FROM events GROUP BY customer_id)\n\
             SELECT customer_id, m FROM base WHERE f > {at};\n"
        )
    };
    (0..count).map(segment).collect()
}

#[test]
fn what_is_written_out_in_every_text_is_computed_once() {
    let here = tempfile::tempdir().expect("a folder");
    let (one, other) = (here.path().join("one"), here.path().join("other"));
    let shared = run(&given(&written_out(9), &one));
    all_succeed(&shared);
    assert_eq!(shared.scans, 1);
    let record = &shared.report.record.shared;
    assert_eq!(record.len(), 1, "{record:?}");
    assert_eq!(
        (record[0].readers, record[0].what.as_str()),
        (9, "GROUP BY events.customer_id")
    );
    let distinct: std::collections::BTreeSet<i64> = events()
        .column(2)
        .as_any()
        .downcast_ref::<Int64Array>()
        .expect("keys")
        .values()
        .iter()
        .copied()
        .collect();
    assert_eq!(record[0].rows, distinct.len() as u64);
    let separately = run(&Given {
        sharing: Sharing::Off,
        ..given(&written_out(9), &other)
    });
    all_succeed(&separately);
    assert_eq!(
        (separately.scans, separately.report.record.shared.len()),
        (9, 0)
    );
    assert_eq!(members(&one, "2026-01-31"), members(&other, "2026-01-31"));
    assert_eq!(members(&one, "2026-01-31").len(), 9);
}

#[test]
fn a_view_and_a_text_that_repeats_it_are_one() {
    let here = tempfile::tempdir().expect("a folder");
    let file = here.path().join("events.csv");
    std::fs::write(&file, "customer_id,amount\n1,10\n2,20\n1,30\n").expect("writes");
    let base = "SELECT customer_id, sum(amount) AS m FROM paid GROUP BY customer_id";
    let text = format!(
        "CREATE SOURCE paid FROM '{}';\n\
         CREATE VIEW v AS {base};\n\
         CREATE SEGMENT a WITH (key = 'customer_id') AS SELECT customer_id FROM v WHERE m > 5;\n\
         CREATE SEGMENT b WITH (key = 'customer_id') AS SELECT customer_id FROM v WHERE m > 25;\n\
         CREATE SEGMENT c WITH (key = 'customer_id') AS SELECT customer_id FROM ({base}) AS x WHERE x.m > 35;\n",
        file.display()
    );
    let came = run(&given(&text, &here.path().join("store")));
    all_succeed(&came);
    let record = &came.report.record.shared;
    assert_eq!(record.len(), 1, "{record:?}");
    assert_eq!((record[0].readers, record[0].rows), (3, 2));
    let rows = came
        .report
        .record
        .nodes
        .iter()
        .map(|it| (it.name.as_str(), it.rows));
    let expected = [("a", Some(2)), ("b", Some(1)), ("c", Some(1))];
    assert!(rows.eq(expected), "{:?}", came.report.record.nodes);
}

#[test]
fn columns_that_nobody_reads_are_not_kept() {
    let here = tempfile::tempdir().expect("a folder");
    let narrow = run(&given(&written_out(4), &here.path().join("narrow")));
    let wide = written_out(4).replace("customer_id, m FROM", "customer_id, m, t FROM");
    let wide = run(&given(&wide, &here.path().join("wide")));
    let bytes = |came: &Came| came.report.record.shared[0].bytes;
    // Three numbers a row, in a batch that has room for 8192; the texts take as much again.
    assert!(bytes(&narrow) < 25 * 8192, "{}", bytes(&narrow));
    assert!(
        bytes(&wide) > bytes(&narrow) + 8 * CUSTOMERS as u64,
        "{}",
        bytes(&wide)
    );
}

#[test]
fn what_runs_once_or_does_no_work_is_not_kept() {
    let here = tempfile::tempdir().expect("a folder");
    let text = "CREATE SEGMENT a WITH (key = 'customer_id') AS SELECT DISTINCT customer_id FROM events WHERE amount > 400;\n\
                CREATE SEGMENT b WITH (key = 'customer_id') AS SELECT customer_id, max(amount) AS m FROM events WHERE amount > 400 GROUP BY customer_id;\n";
    let came = run(&given(text, &here.path().join("filtered")));
    all_succeed(&came);
    // A filter over a scan is all they have in common.
    assert_eq!((came.scans, came.report.record.shared.len()), (2, 0));
    // A join of rows as they are may have more of them than both its sides.
    let pairs = "(SELECT a.customer_id, b.amount FROM events AS a JOIN events AS b ON a.amount = b.amount) AS p";
    let text = format!(
        "CREATE SEGMENT a WITH (key = 'customer_id') AS SELECT customer_id, max(amount) AS m FROM {pairs} GROUP BY customer_id;\n\
         CREATE SEGMENT b WITH (key = 'customer_id') AS SELECT customer_id, count(*) AS n FROM {pairs} GROUP BY customer_id;\n"
    );
    let came = run(&given(&text, &here.path().join("joined")));
    all_succeed(&came);
    assert_eq!((came.scans, came.report.record.shared.len()), (4, 0));
}

/// Definitions of every sort over each other: views that are named, texts that repeat
/// them, labels, priorities, subqueries, and a look at the past.
const ALL_SORTS: &str = "
CREATE VIEW totals AS SELECT customer_id, count(*) AS f, sum(amount) AS m FROM events GROUP BY customer_id;
CREATE VIEW scored AS SELECT customer_id, f, m, rank() OVER (ORDER BY m) AS place FROM totals;
CREATE VIEW everyone AS SELECT DISTINCT customer_id FROM events;
CREATE ENTITY customer FROM everyone KEY customer_id;
CREATE SEGMENT frequent AS SELECT customer_id, f FROM totals WHERE f > 6;
CREATE SEGMENT generous AS SELECT customer_id, m, place FROM scored WHERE m > 2000;
CREATE SEGMENT last AS SELECT customer_id, place FROM scored WHERE place < 50;
CREATE SEGMENT again AS
  SELECT x.customer_id, x.f FROM (SELECT customer_id, count(*) AS f, sum(amount) AS m FROM events GROUP BY customer_id) AS x WHERE x.m > 1000;
CREATE SEGMENT once_more AS
  WITH y AS (SELECT customer_id, count(*) AS f, sum(amount) AS m FROM events GROUP BY customer_id)
  SELECT customer_id, m, m / f AS mean FROM y WHERE f BETWEEN 3 AND 5;
CREATE SEGMENT both AS SELECT customer_id FROM frequent WHERE customer_id IN (SELECT customer_id FROM generous);
CREATE SEGMENT one_only AS SELECT customer_id FROM frequent WHERE customer_id NOT IN (SELECT customer_id FROM generous);
CREATE SEGMENT above_mean AS SELECT t.customer_id, t.m FROM totals AS t WHERE t.m > (SELECT avg(m) FROM totals);
CREATE SEGMENT correlated AS SELECT t.customer_id FROM totals AS t
  WHERE EXISTS (SELECT 1 FROM events AS e WHERE e.customer_id = t.customer_id AND e.amount = 499);
CREATE SEGMENTATION size WITH (otherwise = 'none') LABELS (big, small, none) AS
  SELECT customer_id, CASE WHEN m > 1500 THEN 'big' ELSE 'small' END AS label FROM totals WHERE f > 2;
CREATE SEGMENT the_big AS SELECT customer_id FROM \"size:big\";
CREATE SEGMENT the_small AS SELECT customer_id FROM \"size:small\";
CREATE SEGMENTATION first WITH (label = 'label') AS PRIORITY (generous, frequent, \"size:big\") OTHERWISE 'rest';
CREATE SEGMENTATION several WITH (multiple = true) AS
  SELECT customer_id, 'f' || CAST(f % 2 AS VARCHAR) AS label FROM totals
  UNION ALL SELECT customer_id, 'm' || CAST(m % 3 AS VARCHAR) AS label FROM totals;
CREATE SEGMENT newly AS SELECT f.customer_id FROM frequent AS f
  WHERE NOT EXISTS (SELECT 1 FROM previous_members('last') AS p WHERE p.customer_id = f.customer_id);
CREATE SEGMENT still AS SELECT customer_id FROM previous_members('last') WHERE customer_id IN (SELECT customer_id FROM last);
";

#[test]
fn sharing_changes_no_byte_of_any_snapshot() {
    let here = tempfile::tempdir().expect("a folder");
    let dates = ["2025-12-31", "2026-01-31"];
    // One after the other: the second date looks back at the first.
    let both = |name: &str, change: &dyn Fn(&mut Given)| {
        let store = here.path().join(name);
        let mut scans = 0;
        let found = dates.map(|as_of| {
            let mut given = given(ALL_SORTS, &store);
            given.as_of = as_of;
            change(&mut given);
            let came = run(&given);
            all_succeed(&came);
            scans += came.scans;
            let in_file = came.report.record.shared.iter().any(|it| it.in_file);
            assert_eq!(in_file, given.sharing == Sharing::InFiles, "{name}");
            members(&store, as_of)
        });
        (found, scans)
    };
    let (expected, many) = both("separately", &|given| given.sharing = Sharing::Off);
    assert_eq!(expected[0].len(), 16);
    assert_ne!(expected[0]["newly"], expected[1]["newly"]);
    for threads in [1, 2, 8] {
        let (found, scans) = both(&format!("on {threads}"), &|given| given.threads = threads);
        for (found, expected) in found.iter().zip(&expected) {
            let differ = found
                .iter()
                .filter(|(name, bytes)| expected[*name] != **bytes);
            let differ: Vec<&String> = differ.map(|it| it.0).collect();
            assert!(differ.is_empty(), "{threads} threads: {differ:?}");
            assert_eq!(found.len(), expected.len());
        }
        assert!(scans * 3 < many, "{scans} scans of {many}");
    }
    for (name, memory) in [
        ("in files", None),
        ("in files and little memory", Some(64 << 20)),
    ] {
        let (found, _) = both(name, &|given| {
            given.sharing = Sharing::InFiles;
            given.memory = memory;
        });
        assert!(found == expected, "{name}");
    }
}

/// A text of group `b` is no number: the base fails as a whole, and does for those who
/// read group `a`.
#[test]
fn a_base_that_fails_may_do_for_those_who_read_a_part() {
    let here = tempfile::tempdir().expect("a folder");
    let segment = |name: &str, filter: &str| {
        format!(
            "CREATE SEGMENT {name} WITH (key = 'customer_id') AS SELECT customer_id, n FROM\n\
             (SELECT customer_id, max(CAST(text AS BIGINT)) AS n FROM events GROUP BY customer_id)\n\
             WHERE {filter};\n"
        )
    };
    let text = [
        segment("tens", "customer_id % 3 = 0 AND customer_id < 10"),
        segment("hundreds", "customer_id % 3 = 0 AND customer_id < 100"),
        segment("wrong", "customer_id < 100"),
    ];
    let came = run(&given(&text.concat(), here.path()));
    let expected = [
        ("tens", NodeStatus::Success),
        ("hundreds", NodeStatus::Success),
        ("wrong", NodeStatus::Error),
    ];
    let mut found = statuses(&came);
    found.sort_by_key(|it| expected.iter().position(|known| known.0 == it.0));
    assert!(
        found.iter().map(|it| (it.0.as_str(), it.1)).eq(expected),
        "{found:?}"
    );
    assert_eq!(came.report.record.shared.len(), 0);
    let told = came.report.errors["wrong"].to_string();
    assert!(told.contains("no number, but"), "{told}");
}

#[test]
fn chance_is_never_common() {
    let here = tempfile::tempdir().expect("a folder");
    let segment = |name: &str| {
        format!(
            "CREATE SEGMENT {name} WITH (key = 'customer_id', nondeterministic = true) AS\n\
             SELECT customer_id, max(x) AS x FROM\n\
             (SELECT customer_id, m, random() AS x FROM\n\
              (SELECT customer_id, sum(amount) AS m FROM events GROUP BY customer_id)) GROUP BY customer_id;\n"
        )
    };
    let came = run(&given(&[segment("a"), segment("b")].concat(), here.path()));
    all_succeed(&came);
    // The sums are the same in both, what chance adds to them is not.
    let record = &came.report.record.shared;
    assert_eq!((came.scans, record.len()), (1, 1), "{record:?}");
    let found = members(here.path(), "2026-01-31");
    assert_ne!(found["a"], found["b"]);
}

#[test]
fn nodes_are_told_of_in_the_order_of_the_plan() {
    let here = tempfile::tempdir().expect("a folder");
    let mut text = written_out(12);
    text.push_str(
        "CREATE SEGMENT bad WITH (key = 'customer_id', min_size = 1000000) AS SELECT customer_id FROM s3;\n\
         CREATE SEGMENT above WITH (key = 'customer_id') AS SELECT customer_id FROM bad;\n\
         CREATE SEGMENT beside WITH (key = 'customer_id') AS SELECT customer_id FROM s4;\n",
    );
    let came = run(&Given {
        threads: 8,
        ..given(&text, here.path())
    });
    let names: Vec<String> = statuses(&came).into_iter().map(|it| it.0).collect();
    assert_eq!(came.told, names);
    assert_eq!(names.len(), 15);
    let of = |wanted: NodeStatus| {
        let found = statuses(&came).into_iter().filter(|it| it.1 == wanted);
        found.map(|it| it.0).collect::<Vec<_>>()
    };
    assert_eq!(of(NodeStatus::Error), ["bad"]);
    assert_eq!(of(NodeStatus::Skipped), ["above"]);
    assert!(!here.path().join("above").exists());
}
