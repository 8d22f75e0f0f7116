//! The node above a cache-sized aggregation, and the one below it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use datafusion::prelude::SessionConfig;
use futures::stream::select_all;

use super::sizing::Sizing;

/// Runs an aggregation whose rows were dealt to many hash partitions, and hands its partitions
/// on as the few that the plan above was made for.
///
/// Rows are dealt by `hash mod n`, and what is left of that modulo a divisor of n is what
/// dealing them to so few would have given: nobody above can tell the difference.
#[derive(Debug, Clone)]
pub(super) struct CacheSizedExec {
    input: Arc<dyn ExecutionPlan>,
    sizing: Sizing,
    properties: Arc<PlanProperties>,
}

impl CacheSizedExec {
    /// `input` as `partitions`; none where they do not divide its own.
    pub(super) fn over(
        input: Arc<dyn ExecutionPlan>,
        partitions: usize,
        sizing: Sizing,
    ) -> Option<Self> {
        let few = match input.output_partitioning() {
            Partitioning::Hash(keys, many) if many % partitions == 0 => {
                Partitioning::Hash(keys.clone(), partitions)
            }
            _ => return None,
        };
        let properties = PlanProperties::clone(input.properties()).with_partitioning(few);
        Some(Self {
            input,
            sizing,
            properties: Arc::new(properties),
        })
    }

    /// The same over another input.
    fn again(&self, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        match Self::over(input, self.partitions(), self.sizing.clone()) {
            Some(again) => Ok(Arc::new(again)),
            None => internal_err!("the new input is not dealt as the old one was"),
        }
    }

    fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// The settings below.
    fn context(&self, context: &TaskContext) -> Arc<TaskContext> {
        let config = context.session_config().clone();
        let mut config = config.with_batch_size(self.sizing.batch_rows);
        let execution = &mut config.options_mut().execution;
        execution.skip_partial_aggregation_probe_ratio_threshold = self.sizing.skip_ratio;
        with_config(context, config)
    }
}

/// The same task with other settings.
fn with_config(context: &TaskContext, config: SessionConfig) -> Arc<TaskContext> {
    Arc::new(TaskContext::new(
        context.task_id(),
        context.session_id(),
        config,
        context.scalar_functions().clone(),
        context.higher_order_functions().clone(),
        context.aggregate_functions().clone(),
        context.window_functions().clone(),
        context.runtime_env(),
    ))
}

impl DisplayAs for CacheSizedExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "CacheSizedExec: {}", self.sizing)
            }
            DisplayFormatType::TreeRender => write!(f, "{}", self.sizing),
        }
    }
}

/// Below it batches are of the size that the session asks for.
#[derive(Debug, Clone)]
pub(super) struct BatchSizeExec {
    input: Arc<dyn ExecutionPlan>,
    rows: usize,
}

impl BatchSizeExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, rows: usize) -> Self {
        Self { input, rows }
    }
}

impl DisplayAs for BatchSizeExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "BatchSizeExec: {} rows", self.rows)
            }
            DisplayFormatType::TreeRender => write!(f, "{} rows", self.rows),
        }
    }
}

impl ExecutionPlan for CacheSizedExec {
    fn name(&self) -> &str {
        "CacheSizedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.again(children.swap_remove(0))
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.again(children.swap_remove(0))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let context = self.context(&context);
        let many = self.input.output_partitioning().partition_count();
        // All at once: rows for a stream that nobody asks would pile up.
        let streams = (partition..many)
            .step_by(self.partitions())
            .map(|part| self.input.execute(part, Arc::clone(&context)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            select_all(streams),
        )))
    }
}

impl ExecutionPlan for BatchSizeExec {
    fn name(&self) -> &str {
        "BatchSizeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.rows)))
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.rows)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let config = context.session_config().clone();
        let config = config.with_batch_size(self.rows);
        self.input.execute(partition, with_config(&context, config))
    }
}
