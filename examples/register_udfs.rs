//! segql's functions in a plain DataFusion program: register them, and print an RFM table.
//!
//! ```text
//! cargo run --example register_udfs
//! ```

use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};
use segql_udfs::SegqlConfig;

const RFM: &str = "
    SELECT customer,
           recency_days,
           frequency,
           monetary,
           rfm['score'] AS score,
           segment_of(rfm) AS segment
    FROM (SELECT customer,
                 recency_days,
                 frequency,
                 monetary,
                 rfm_score(recency_days, frequency, monetary) OVER () AS rfm
          FROM (SELECT customer,
                       days_since(max(bought)) AS recency_days,
                       count(*) AS frequency,
                       sum(amount) AS monetary
                FROM (VALUES ('Ada', DATE '2026-01-28', 120.0),
                             ('Ada', DATE '2025-12-11', 80.0),
                             ('Ada', DATE '2025-10-02', 95.5),
                             ('Bo',  DATE '2026-01-05', 15.0),
                             ('Cy',  DATE '2025-06-30', 210.0),
                             ('Cy',  DATE '2025-05-17', 60.0),
                             ('Di',  DATE '2024-11-20', 35.0),
                             ('Ed',  DATE '2025-11-08', 48.0)) AS orders(customer, bought, amount)
                GROUP BY customer) AS customers) AS scored
    ORDER BY score DESC, customer";

#[tokio::main]
async fn main() -> Result<()> {
    let mut config = SessionConfig::new();
    config
        .options_mut()
        .extensions
        .insert(SegqlConfig::default());
    let mut ctx = SessionContext::new_with_config(config);
    segql_udfs::register_all(&mut ctx)?;

    // The day everything is evaluated at; without it, the start of each query.
    ctx.sql("SET segql.as_of = '2026-01-31'").await?;
    ctx.sql(RFM).await?.show().await
}
