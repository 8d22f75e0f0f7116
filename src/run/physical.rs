//! From a plan to what is executed: every row that a run computes passes here.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream, execute_stream_partitioned};

use super::Engine;
use crate::error::Result;

impl Engine {
    /// The physical plan of a query.
    pub(super) async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.session.state().create_physical_plan(plan).await?)
    }

    /// The rows of a query, one after the other.
    pub(super) async fn stream(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let plan = self.physical(plan).await?;
        Ok(execute_stream(plan, self.session.task_ctx())?)
    }

    /// The rows of a query, a stream a partition.
    pub(super) async fn streams(
        &self,
        plan: &LogicalPlan,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let plan = self.physical(plan).await?;
        Ok(execute_stream_partitioned(plan, self.session.task_ctx())?)
    }
}
