//! The same project, data and as-of give the same members, byte for byte, on any number of
//! threads: with money as DECIMAL and as DOUBLE.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::command::run;
use crate::dice::Dice;

/// Orders come in pairs, one of each of two customers who paid the very same.
const PAIRS_OF_ORDERS: usize = 10_000;
const PAIRS_OF_CUSTOMERS: usize = 700;
const FILES: usize = 5;
const ROUNDS: usize = 10;
const THREADS: [&str; 3] = ["1", "2", "8"];

/// Sums of these round at every step, and differently in every order.
const SCALES: [f64; 6] = [1e-9, 0.1, 1.0 / 3.0, 1.0, 1e3, 1e10];

const DEFINITIONS: &str = "
CREATE SOURCE orders FROM 'data/orders_*.csv'
  WITH (key = 'order_id', event_time = 'ordered_at', columns = 'paid DOUBLE');
CREATE SOURCE customers FROM 'data/customers.csv' WITH (key = 'customer_id');
CREATE ENTITY customer FROM customers KEY customer_id;
CREATE VIEW totals AS
  SELECT c.customer_id, c.country, count(*) AS orders, count(DISTINCT o.product) AS products,
         sum(o.amount) AS spent, avg(o.amount) AS mean_spent,
         sum(o.paid) AS paid, avg(o.paid) AS mean_paid, days_since(max(o.ordered_at)) AS recency
  FROM orders AS o JOIN customers AS c ON o.customer_id = c.customer_id
  GROUP BY c.customer_id, c.country;
CREATE SEGMENT sums AS SELECT * FROM totals;
CREATE SEGMENT shares AS
  SELECT customer_id, paid / sum(paid) OVER (PARTITION BY country) AS of_country,
         paid - avg(paid) OVER () AS above_mean FROM totals;
CREATE SEGMENT by_decimal AS
  SELECT customer_id, rfm_score(recency, orders, spent) OVER () AS score FROM totals;
CREATE SEGMENT by_double AS
  SELECT customer_id, rfm_score(recency, orders, paid, 9) OVER (PARTITION BY country) AS score
  FROM totals;
CREATE SEGMENTATION rfm AS SELECT customer_id, segment_of(score) AS label FROM by_decimal;
CREATE VIEW cuts AS
  SELECT country, quantile_cuts(paid, 10) AS of_paid, quantile_cuts(spent, 10) AS of_spent
  FROM totals GROUP BY country;
CREATE SEGMENTATION tenths AS
  SELECT t.customer_id, bin_of(t.spent, c.of_spent) || ' of 10' AS label,
         bin_of(t.paid, c.of_paid) AS by_paid, c.of_paid[3] AS third
  FROM totals AS t JOIN cuts AS c ON t.country = c.country;
CREATE SEGMENT came_back AS
  SELECT DISTINCT a.customer_id FROM orders AS a JOIN orders AS b
    ON a.customer_id = b.customer_id AND a.product = b.product AND a.order_id < b.order_id;
CREATE SEGMENT habits AS
  SELECT customer_id, favourite(product, paid) AS favourite, gini(paid) AS inequality,
         affinity(product, paid)[2]['share'] AS second, purchase_rhythm(ordered_at)['cv'] AS cv
  FROM orders GROUP BY customer_id;
CREATE SEGMENT offers AS
  SELECT customer_id, item, score, because FROM next_best('price_band', 1, 1);
CREATE SEGMENT above_country AS
  SELECT t.customer_id, t.paid - m.mean AS more FROM totals AS t
  JOIN (SELECT country, avg(paid) AS mean FROM totals GROUP BY country) AS m
    ON m.country = t.country
  WHERE t.paid > m.mean;
";

/// Segments and segmentations among the definitions.
const SEGMENTS: usize = 10;

/// Customers 2n and 2n + 1 have orders of the same days, products and prices, in another order
/// and in other files.
fn write_data(root: &Path) {
    let mut dice = Dice(7);
    let mut orders = vec![];
    for _ in 0..PAIRS_OF_ORDERS {
        let customer = 2 * dice.below(PAIRS_OF_CUSTOMERS);
        let (month, day) = (1 + dice.below(12), 1 + dice.below(28));
        let (cents, product) = (dice.below(100_000), dice.below(40));
        let paid = cents as f64 * SCALES[dice.below(SCALES.len())];
        let rest = format!(
            "2025-{month:02}-{day:02} 10:00:00,p{product},{}.{:02},{paid}",
            cents / 100,
            cents % 100
        );
        orders.push((customer, rest.clone()));
        orders.push((customer + 1, rest));
    }
    dice.shuffle(&mut orders);
    let header = "order_id,customer_id,ordered_at,product,amount,paid\n";
    let mut files = vec![header.to_owned(); FILES];
    for (id, (customer, rest)) in orders.iter().enumerate() {
        let file = &mut files[dice.below(FILES)];
        writeln!(file, "{id},{customer},{rest}").expect("writes to memory");
    }
    std::fs::create_dir(root.join("data")).expect("a folder");
    for (number, text) in files.iter().enumerate() {
        let file = root.join(format!("data/orders_{number}.csv"));
        std::fs::write(file, text).expect("writes");
    }
    let mut customers = "customer_id,country\n".to_owned();
    for pair in 0..PAIRS_OF_CUSTOMERS {
        let country = ["PL", "BG", "DE"][dice.below(3)];
        let both = format!("{},{country}\n{},{country}\n", 2 * pair, 2 * pair + 1);
        customers.push_str(&both);
    }
    std::fs::write(root.join("data/customers.csv"), customers).expect("writes");
}

fn project() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("segql.toml"), "name = \"same\"\n").expect("writes");
    std::fs::create_dir(here.path().join("sql")).expect("a folder");
    std::fs::write(here.path().join("sql/all.sql"), DEFINITIONS).expect("writes");
    write_data(here.path());
    // Types are pinned by the first run: the others must find the same project.
    let ran = run(
        here.path(),
        &["run", "--as-of", "2025-12-31", "--store", "first"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    here
}

/// Every file for everyone in a store, by its path there.
fn members(store: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let segments = std::fs::read_dir(store).expect("a store").flatten();
    let files = segments.filter(|entry| entry.file_name() != "_segql");
    files
        .map(|entry| {
            let path = entry.path().join("as_of=2025-12-31/members.parquet");
            let bytes = std::fs::read(&path).expect("members");
            (path.strip_prefix(store).expect("in it").to_owned(), bytes)
        })
        .collect()
}

#[test]
fn members_are_the_same_byte_for_byte_on_any_number_of_threads() {
    let here = project();
    let root = here.path();
    let expected = members(&root.join("first"));
    assert_eq!(expected.len(), SEGMENTS);
    let mut different: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for round in 0..ROUNDS {
        // At the same time, so that threads also get in each other's way.
        let stores: Vec<String> = std::thread::scope(|scope| {
            let runs = THREADS.map(|threads| {
                scope.spawn(move || {
                    let store = format!("store_{round}_{threads}");
                    let arguments = ["run", "--as-of", "2025-12-31", "--store", store.as_str()];
                    let ran = run(root, &[&arguments[..], &["--threads", threads]].concat());
                    assert_eq!(ran.code, 0, "{threads} threads: {}", ran.err);
                    store
                })
            });
            runs.map(|run| run.join().expect("ends")).into()
        });
        for store in stores {
            let got = members(&root.join(&store));
            assert!(got.keys().eq(expected.keys()), "{store}: {:?}", got.keys());
            for (path, bytes) in got {
                if bytes != expected[&path] {
                    different.entry(path).or_default().push(store.clone());
                }
            }
        }
    }
    assert!(
        different.is_empty(),
        "not as in the first run: {different:#?}"
    );
}

/// Who paid the same in another order has the same sum, and so the same score and share.
#[test]
fn twins_are_told_apart_by_nothing() {
    let here = project();
    let columns = [
        (
            "sums",
            vec![
                "spent",
                "mean_spent",
                "paid",
                "mean_paid",
                "products",
                "recency",
            ],
        ),
        ("by_decimal", vec!["\"score.score\""]),
        ("by_double", vec!["\"score.score\""]),
        ("shares", vec!["of_country", "above_mean"]),
        ("tenths", vec!["label", "by_paid", "third"]),
    ];
    for (segment, columns) in columns {
        let differ: Vec<String> = columns
            .iter()
            .map(|column| format!("(a.{column} IS DISTINCT FROM b.{column})"))
            .collect();
        let query = format!(
            "SELECT count(*) AS pairs, count(*) FILTER (WHERE {}) AS told_apart \
             FROM 'first/{segment}/as_of=2025-12-31/members.parquet' AS a \
             JOIN 'first/{segment}/as_of=2025-12-31/members.parquet' AS b \
               ON a.customer_id + 1 = b.customer_id AND a.customer_id % 2 = 0",
            differ.join(" OR ")
        );
        let ran = run(here.path(), &["--format", "csv", "-c", &query]);
        let expected = format!("pairs,told_apart\n{PAIRS_OF_CUSTOMERS},0\n");
        assert_eq!(ran.out, expected, "{segment}: {}", ran.err);
    }
}
