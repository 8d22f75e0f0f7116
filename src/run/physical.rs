//! From a plan to what is executed: every row that is computed passes here, and ends
//! with an error when the process holds more memory than it may.

use std::sync::Arc;
use std::task::Poll;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{DataFusionError, Result as PlanResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::count::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream, execute_stream_partitioned};
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::Engine;
use crate::error::Result;
use crate::session::MemoryWatch;

impl Engine {
    /// The physical plan of a query.
    pub(super) async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.session.state().create_physical_plan(plan).await?;
        self.resume(plan).await
    }

    /// The rows of a query, one after the other.
    pub(super) async fn stream(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let plan = self.physical(plan).await?;
        Ok(self.watched(execute_stream(plan, self.session.task_ctx())?))
    }

    /// The rows of a query in as many streams as its plan has partitions.
    pub(super) async fn streams(
        &self,
        plan: &LogicalPlan,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let plan = self.physical(plan).await?;
        let all = execute_stream_partitioned(plan, self.session.task_ctx())?;
        Ok(all.into_iter().map(|it| self.watched(it)).collect())
    }

    /// How many rows a query has.
    pub(super) async fn count(&self, rows: LogicalPlanBuilder) -> Result<u64> {
        let counted = rows.aggregate(Vec::<Expr>::new(), [count(lit(1))])?;
        let batches: Vec<RecordBatch> = self.stream(&counted.build()?).await?.try_collect().await?;
        let rows = batches.first().map(|batch| batch.column(0));
        Ok(rows.map_or(0, |it| it.as_primitive::<Int64Type>().value(0) as u64))
    }

    /// Rows that end with an error when the process holds too much.
    pub(super) fn watched(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        match &self.memory {
            Some(memory) => until_exceeded(rows, memory.clone()),
            None => rows,
        }
    }

    /// A plan as the analyser leaves it: with the types that its rows will have.
    pub(super) fn analysed(&self, plan: LogicalPlan) -> PlanResult<LogicalPlan> {
        let state = self.session.state();
        let options = state.config_options();
        state.analyzer().execute_and_check(plan, options, |_, _| {})
    }
}

fn until_exceeded(
    rows: SendableRecordBatchStream,
    memory: MemoryWatch,
) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let mut over = Box::pin(async move { memory.exceeded().await }.fuse());
    let mut rows = Some(rows);
    let watched = futures::stream::poll_fn(move |context| {
        let Some(inner) = &mut rows else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(error) = over.poll_unpin(context) {
            // What it held is given back at once.
            rows = None;
            return Poll::Ready(Some(Err(DataFusionError::from(error))));
        }
        inner.poll_next_unpin(context)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, watched))
}
