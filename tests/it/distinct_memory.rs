//! Distinct values of many groups take the memory that they need and no more, and stay within a
//! limit or say that they cannot.

use std::path::Path;

use crate::peak::measured;

/// 40,000 customers with eight orders each, known by texts that are longer than twelve bytes.
/// A set a customer would take more than half a gigabyte.
const ORDERS: &str = "SELECT value % 40000 AS customer, 'order number ' || value AS order_id, \
     DATE '2026-01-01' + CAST(value % 28 AS INT) AS day, value FROM generate_series(0, 319999) AS t (value)";

const MIB: usize = 1 << 20;

fn question(asked: &str) -> String {
    format!(
        "SELECT count(*), sum(n) FROM (SELECT customer, {asked} FROM ({ORDERS}) GROUP BY customer)"
    )
}

#[test]
fn many_groups_take_little() {
    // 40,000 is 16 more than a multiple of 28, so that a customer's day comes back after seven.
    for (asked, expected) in [
        ("count(DISTINCT order_id) AS n, avg(customer)", "320000"),
        ("count(DISTINCT day) AS n, avg(customer)", "280000"),
        ("count(DISTINCT order_id, day) AS n", "320000"),
        (
            "cardinality(affinity(order_id, customer + 1)) AS n",
            "320000",
        ),
        ("purchase_rhythm(day)['purchases'] AS n", "280000"),
        (
            "CAST(favourite(order_id, value) = 'order number ' || max(value) AS INT) AS n, gini(value)",
            "40000",
        ),
        (
            "sum(DISTINCT customer) - customer + 1 AS n, avg(DISTINCT customer)",
            "40000",
        ),
    ] {
        let (ran, peak) = measured(Path::new("/"), &["--format=csv", "-c", &question(asked)]);
        assert_eq!(ran.code, 0, "{asked}: {}", ran.err);
        assert_eq!(
            ran.out.lines().nth(1),
            Some(format!("40000,{expected}").as_str()),
            "{asked}"
        );
        assert!(peak > 20 * MIB, "{asked}: nothing was measured ({peak})");
        assert!(peak < 350 * MIB, "{asked}: {} MiB", peak / MIB);
    }
}

#[test]
fn a_limit_is_kept_or_named() {
    for limit in ["4MB", "12MB", "30MB"] {
        let question = question("count(DISTINCT order_id) AS n, avg(customer)");
        let arguments = ["--memory-limit", limit, "--format=csv", "-c", &question];
        let (ran, peak) = measured(Path::new("/"), &arguments);
        match ran.code {
            0 => assert_eq!(ran.out.lines().nth(1), Some("40000,320000"), "{limit}"),
            code => {
                assert_eq!(code, 1, "{limit}: {}", ran.err);
                assert!(ran.err.contains("memory"), "{limit}: {}", ran.err);
            }
        }
        assert!(peak < 250 * MIB, "{limit}: {} MiB", peak / MIB);
    }
}
