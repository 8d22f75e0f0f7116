//! A project that lacks some of what the library reads: the rest is written, what could
//! not be is told of once, and the run fails.

use crate::command::run;
use crate::small_project::{march, nodes, write};

/// Orders and customers, but neither companies nor contacts nor costs.
fn little() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    write(
        here.path(),
        "segql.toml",
        "library = ['b2b', 'value']\n[target.dev]\nstore = 'store'\n",
    );
    write(
        here.path(),
        "sql/little.sql",
        "CREATE VIEW orders AS SELECT 1 AS order_id, 7 AS customer_id, TIMESTAMP '2025-01-05T10:00:00' AS ordered_at,
           20.00 AS amount, 0.00 AS discount;
         CREATE VIEW customers AS SELECT 7 AS customer_id, 'b2b' AS customer_type, 'F1' AS company_id;",
    );
    here
}

#[test]
fn what_a_project_lacks_is_told_of_once_and_the_rest_is_written() {
    let here = little();
    let ran = march(here.path(), &["value.*", "b2b.*"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let found = nodes(&ran);
    for done in ["b2b.kinds: success 1", "value.whales: success 0"] {
        assert!(found.contains(&done.to_owned()), "{done} in {found:?}");
    }
    let companies = "error: b2b.industries, b2b.net_prices, b2b.sizes: \
                     libraries read a view 'companies', and there is none";
    assert!(ran.err.contains(companies), "{}", ran.err);
    assert!(
        ran.err
            .contains("CREATE VIEW companies AS SELECT … AS company_id")
    );
    assert_eq!(ran.err.matches("'companies'").count(), 1, "{}", ran.err);
    for view in ["contacts", "costs", "order_lines"] {
        let said = format!("libraries read a view '{view}', and there is none");
        assert_eq!(ran.err.matches(&said).count(), 1, "{view}: {}", ran.err);
    }
    assert!(
        ran.err.contains("help: there are customers, orders\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .ends_with("error: 6 of 14 segments have no new snapshot\n"),
        "{}",
        ran.err
    );
    // Left out on purpose, it is no failure.
    let excluded = [
        "b2b.sizes",
        "b2b.industries",
        "b2b.net_prices",
        "b2b.deciders",
        "b2b.candidates",
    ];
    let excluded = excluded.map(|name| ["--exclude", name]).concat();
    let ran = march(here.path(), &[&["b2b.*"][..], &excluded].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(nodes(&ran), ["b2b.kinds: unchanged 1"]);
}

#[test]
fn a_library_that_is_not_there_is_brought_in_by_a_line() {
    let here = little();
    for selector in ["rfm.*", "rfm.segments"] {
        let ran = run(here.path(), &["run", selector]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(
            ran.err
                .contains("library = [\"rfm\"] in segql.toml, brings it in"),
            "{}",
            ran.err
        );
    }
    let ran = run(here.path(), &["run", "value.nope"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!ran.err.contains("brings it in"), "{}", ran.err);
}

/// Libraries count orders that are 'completed': who calls them otherwise hears of it.
#[test]
fn orders_of_which_none_counts_draw_a_warning() {
    let here = tempfile::tempdir().expect("a folder");
    write(here.path(), "segql.toml", "library = [\"rfm\"]\n");
    let orders = |status: &str| {
        format!(
            "CREATE VIEW orders AS SELECT 1 AS order_id, 7 AS customer_id, DATE '2025-01-01' AS ordered_at, \
             10.0 AS amount, '{status}' AS status UNION ALL SELECT 2, 8, DATE '2025-01-02', 5.0, 'anulowane';\n"
        )
    };
    for (status, warned) in [("zrealizowane", true), ("completed", false)] {
        write(here.path(), "sql/orders.sql", &orders(status));
        let ran = run(here.path(), &["check", "--as-of", "2025-01-31"]);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(
            said.contains("none of 2 orders has the status"),
            warned,
            "{said}"
        );
        assert_eq!(
            said.contains("there are anulowane, zrealizowane"),
            warned,
            "{said}"
        );
    }
}
