//! Whether any order counts: libraries look for the status 'completed', and a shop that
//! says it in other words would find every segment empty.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{LogicalPlanBuilder, cast, lit};
use datafusion::prelude::ident;
use futures::TryStreamExt;

use super::{CheckReport, CheckResult, Engine};
use crate::catalog::{Binder, Evaluation, Inputs, SharedTables};
use crate::error::Result;

const CONTRACT: &str = "base.orders";

/// How many statuses are named.
const SHOWN: usize = 5;

impl Engine {
    /// A warning where there are orders and none of them is completed; nothing where no
    /// library reads orders, or they cannot be read.
    pub(super) async fn order_statuses(
        &self,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Option<CheckReport> {
        let found = self.statuses(inputs, evaluation).await.ok()??;
        let is_completed = |it: &(String, i64)| it.0 == "completed";
        if found.is_empty() || found.iter().any(is_completed) {
            return None;
        }
        let rows: i64 = found.iter().map(|(_, rows)| rows).sum();
        let names = found.iter().take(SHOWN).map(|(name, _)| name.as_str());
        Some(CheckReport {
            name: "orders".to_owned(),
            rule: "order status",
            result: CheckResult::Warned(format!(
                "none of {rows} orders has the status 'completed', so that none counts; there are \
                 {}. Write in the view orders: CASE status WHEN '{}' THEN 'completed' ELSE status \
                 END AS status",
                names.collect::<Vec<_>>().join(", "),
                found[0].0
            )),
        })
    }

    /// Statuses and how many orders have each, the most frequent first.
    async fn statuses(
        &self,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<Option<Vec<(String, i64)>>> {
        let Some(contract) = self.catalog.find(CONTRACT) else {
            return Ok(None);
        };
        let binder = Binder::new(self.world(evaluation), inputs, &SharedTables::new())?;
        let orders = binder.definition(contract)?;
        let status = cast(ident("status"), DataType::Utf8).alias("status");
        let plan = LogicalPlanBuilder::from(orders)
            .project([status])?
            .aggregate([ident("status")], [count(lit(1)).alias("rows")])?
            .sort([
                ident("rows").sort(false, false),
                ident("status").sort(true, false),
            ])?
            .build()?;
        let batches: Vec<RecordBatch> = self.stream(&plan).await?.try_collect().await?;
        let mut found = vec![];
        for batch in &batches {
            let names = batch.column(0).as_string::<i32>();
            let rows = batch.column(1).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let name = if names.is_null(row) {
                    "NULL"
                } else {
                    names.value(row)
                };
                found.push((name.to_owned(), rows.value(row)));
            }
        }
        Ok(Some(found))
    }
}
