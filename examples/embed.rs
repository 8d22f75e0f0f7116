//! segql inside another program: definitions from a string, rows back as Arrow.
//!
//! ```text
//! cargo run --example embed
//! ```

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use segql::error::{Result, Script};
use segql::run::{Engine, Outcome, Setup};
use segql::statement;

const SCRIPT: &str = "
    CREATE VIEW orders AS
    SELECT * FROM (VALUES
      (1, DATE '2026-01-28', 120.0),
      (1, DATE '2025-12-11', 80.0),
      (2, DATE '2025-03-02', 35.0)
    ) AS t (customer_id, ordered_on, amount);

    CREATE SEGMENT inactive AS
    SELECT customer_id, days_since(max(ordered_on)) AS silent_for
    FROM orders GROUP BY customer_id
    HAVING days_since(max(ordered_on)) > 180;

    SELECT * FROM inactive;";

#[tokio::main]
async fn main() -> Result<()> {
    let setup = Setup {
        as_of: Some("2026-01-31".to_owned()),
        time_zone: Some("Europe/Sofia".to_owned()),
        ..Setup::default()
    };
    let mut engine = Engine::new(setup, chrono::Utc::now())?;
    let script = Arc::new(Script::new("embed", SCRIPT));
    for parsed in statement::parse(&script)? {
        if let Outcome::Rows(rows) = engine.execute(&parsed?).await? {
            let batches: Vec<_> = rows.try_collect().await?;
            print(&pretty_format_batches(&batches)?);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn print(table: &impl std::fmt::Display) {
    println!("{table}");
}
