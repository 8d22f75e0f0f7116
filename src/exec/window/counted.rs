//! The operator for functions that need to know how many rows their partition has, over a sorted
//! stream: rows wait, beyond the memory limit in a file, until their partition ends.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext, async_try_stream};
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_expr::{
    Distribution, LexRequirement, OrderingRequirements, PhysicalSortExpr, PhysicalSortRequirement,
};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics,
};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PhysicalExpr,
    PlanProperties,
};
use futures::TryStreamExt;

use super::appended::{appended_properties, appended_statistics, with_columns};
use super::buffer::Buffer;
use super::function::Place;
use super::held::Held;
use super::positions::Positions;

/// Computes functions of a row's place in its partition.
#[derive(Debug)]
pub(super) struct CountedWindowExec {
    input: Arc<dyn ExecutionPlan>,
    exprs: Vec<Arc<dyn WindowExpr>>,
    places: Vec<Place>,
    partitioned: bool,
    output: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CountedWindowExec {
    /// Over expressions of one window, read as `places`. Without `partitioned`, keys are no reason
    /// to distribute the rows.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        exprs: Vec<Arc<dyn WindowExpr>>,
        places: Vec<Place>,
        partitioned: bool,
    ) -> Result<Self> {
        let output = with_columns(&input.schema(), &exprs)?;
        let properties = appended_properties(&input, &output)?;
        Ok(Self {
            input,
            exprs,
            places,
            partitioned,
            output,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    fn keys(&self) -> &[Arc<dyn PhysicalExpr>] {
        self.exprs[0].partition_by()
    }

    fn waiting(&self, partition: usize, context: &TaskContext) -> Waiting {
        let metrics = SpillMetrics::new(&self.metrics, partition);
        let consumer = |what| MemoryConsumer::new(format!("CountedWindowExec[{partition}] {what}"));
        let pool = context.memory_pool();
        let keys = self.keys().iter();
        let keys = keys.map(|key| PhysicalSortExpr::new(Arc::clone(key), SortOptions::default()));
        let order = self.exprs[0].order_by();
        Waiting {
            rows: Buffer::new(self.input.schema(), &context.runtime_env(), &metrics),
            held: Held::new(consumer("rows").with_can_spill(true).register(pool)),
            lengths: consumer("places").register(pool),
            positions: Positions::new(keys.collect(), order, self.places.clone()),
        }
    }
}

/// Rows whose partition may go on.
struct Waiting {
    rows: Buffer,
    held: Held,
    positions: Positions,
    lengths: MemoryReservation,
}

impl Waiting {
    /// Counts the rows of a batch; says whether all that waits can be given out.
    fn count(&mut self, batch: &RecordBatch) -> Result<bool> {
        let ended = self.positions.add(batch)?;
        let size = self.positions.size();
        if self.lengths.try_resize(size).is_err() {
            self.rows.spill(&mut self.held)?;
            self.lengths.try_resize(size)?;
        }
        Ok(ended)
    }

    fn wait(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows.push(batch, &mut self.held)
    }

    async fn next(&mut self, output: &SchemaRef) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.rows.pop(&mut self.held).await? else {
            return Ok(None);
        };
        let mut columns = batch.columns().to_vec();
        columns.extend(self.positions.columns(batch.num_rows()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(output), columns, &options)?;
        Ok(Some(batch))
    }
}

impl DisplayAs for CountedWindowExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.exprs.iter().map(|expr| expr.name()).collect();
        write!(f, "CountedWindowExec: functions=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for CountedWindowExec {
    fn name(&self) -> &str {
        "CountedWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![if self.partitioned && !self.keys().is_empty() {
            Distribution::KeyPartitioned(self.keys().to_vec())
        } else {
            Distribution::SinglePartition
        }])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let keys = self.keys().iter();
        let keys = keys.map(|key| PhysicalSortRequirement::new(Arc::clone(key), None));
        let order = self.exprs[0].order_by().iter().cloned();
        let all = keys.chain(order.map(PhysicalSortRequirement::from));
        vec![LexRequirement::new(all).map(OrderingRequirements::from)]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let order = self.exprs[0].order_by().iter().map(|by| &by.expr);
        for expr in self.keys().iter().chain(order) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a window has one input");
        };
        let (exprs, places) = (self.exprs.clone(), self.places.clone());
        Ok(Arc::new(Self::new(input, exprs, places, self.partitioned)?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let mut waiting = self.waiting(partition, &context);
        let mut input = self.input.execute(partition, context)?;
        let output = Arc::clone(&self.output);
        let rows = async_try_stream(move |mut emitter| async move {
            loop {
                let batch = input.try_next().await?;
                let ended = match &batch {
                    Some(batch) if batch.num_rows() == 0 => continue,
                    Some(batch) => waiting.count(batch)?,
                    None => true,
                };
                while ended && let Some(batch) = waiting.next(&output).await? {
                    baseline.record_output(batch.num_rows());
                    emitter.emit(batch).await;
                }
                match batch {
                    Some(batch) => waiting.wait(batch)?,
                    None => return Ok(()),
                }
            }
        });
        let schema = Arc::clone(&self.output);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(appended_statistics(&inputs[0], &self.output))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
