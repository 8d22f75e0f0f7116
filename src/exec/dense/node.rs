//! The operator: all inputs fill the groups, then every partition gives out a part of them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::compute::{BatchCoalescer, SortOptions};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext, async_try_stream};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::future::{BoxFuture, Shared, try_join_all};
use futures::{FutureExt, StreamExt};

use super::groups::AllGroups;
use super::range::KeyRange;

/// Rows that are dealt at once, for each part of the groups.
const ROWS_A_PART: usize = 256;
/// And in all, at least and at most.
const ROWS_AT_ONCE: (usize, usize) = (1 << 15, 1 << 18);

type Filled = Shared<BoxFuture<'static, std::result::Result<Arc<AllGroups>, Arc<DataFusionError>>>>;

/// One execution: whoever asks first fills the groups for all.
struct Running {
    filled: Filled,
    asked: Vec<bool>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// Groups by a whole number of a known range, in its order.
#[derive(Debug)]
pub(in crate::exec) struct DenseAggregateExec {
    /// What is computed, as DataFusion would in one stage.
    aggregate: Arc<AggregateExec>,
    range: KeyRange,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    running: Mutex<Option<Running>>,
}

impl DenseAggregateExec {
    /// In the place of an aggregation whose first stage is given.
    pub(super) fn new(partial: &AggregateExec, range: KeyRange, partitions: usize) -> Result<Self> {
        let aggregate = AggregateExec::try_new(
            AggregateMode::SinglePartitioned,
            partial.group_expr().clone(),
            partial.aggr_expr().to_vec(),
            partial.filter_expr().to_vec(),
            Arc::clone(partial.input()),
            partial.input_schema(),
        )?;
        Self::over(Arc::new(aggregate), range, partitions)
    }

    fn over(aggregate: Arc<AggregateExec>, range: KeyRange, partitions: usize) -> Result<Self> {
        let schema = aggregate.schema();
        let key = Column::new(schema.field(0).name(), 0);
        let order = PhysicalSortExpr::new(Arc::new(key), SortOptions::new(false, true));
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, [[order]]),
            Partitioning::UnknownPartitioning(partitions.min(range.parts()).max(1)),
            EmissionType::Final,
            aggregate.input().boundedness(),
        );
        Ok(Self {
            aggregate,
            range,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            running: Mutex::default(),
        })
    }

    /// What it computes.
    pub(in crate::exec) fn aggregate(&self) -> &Arc<AggregateExec> {
        &self.aggregate
    }

    fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// All groups, filled when this is first polled.
    fn filled(&self, partition: usize, context: &Arc<TaskContext>) -> Result<Filled> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A partition that is asked for again means another execution.
        let current = running.take().filter(|running| !running.asked[partition]);
        let mut current = match current {
            Some(current) => current,
            None => Running {
                filled: self.fill(context)?,
                asked: vec![false; self.partitions()],
            },
        };
        current.asked[partition] = true;
        let filled = current.filled.clone();
        if !current.asked.iter().all(|asked| *asked) {
            *running = Some(current);
        }
        Ok(filled)
    }

    fn fill(&self, context: &Arc<TaskContext>) -> Result<Filled> {
        let memory = MemoryConsumer::new(self.name()).register(context.memory_pool());
        let aggregate = Arc::clone(&self.aggregate);
        let groups = Arc::new(AllGroups::new(aggregate, self.range, memory));
        let input = self.aggregate.input();
        let count = input.output_partitioning().partition_count();
        let inputs = (0..count).map(|partition| input.execute(partition, Arc::clone(context)));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let rows = ROWS_A_PART * groups.parts();
        let rows = rows.clamp(ROWS_AT_ONCE.0, ROWS_AT_ONCE.1);
        let filled = async move {
            let tasks = inputs.into_iter().enumerate().map(|(number, input)| {
                let first = number * groups.parts() / count;
                let groups = Arc::clone(&groups);
                SpawnedTask::spawn(take_in(groups, input, rows, first)).join_unwind()
            });
            for ended in try_join_all(tasks).await.map_err(|_| cut_off())? {
                ended.map_err(Arc::new)?;
            }
            Ok(groups)
        };
        Ok(filled.boxed().shared())
    }
}

fn cut_off() -> Arc<DataFusionError> {
    Arc::new(DataFusionError::Execution(
        "the work was cut off".to_owned(),
    ))
}

async fn take_in(
    groups: Arc<AllGroups>,
    mut input: SendableRecordBatchStream,
    rows: usize,
    first: usize,
) -> Result<()> {
    let mut whole = BatchCoalescer::new(input.schema(), rows);
    while let Some(batch) = input.next().await.transpose()? {
        whole.push_batch(batch)?;
        while let Some(batch) = whole.next_completed_batch() {
            groups.add(&batch, first)?;
        }
    }
    whole.finish_buffered_batch()?;
    while let Some(batch) = whole.next_completed_batch() {
        groups.add(&batch, first)?;
    }
    Ok(())
}

impl DisplayAs for DenseAggregateExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.aggregate.group_expr().expr().iter();
        let keys: Vec<&str> = keys.map(|(_, name)| name.as_str()).collect();
        let calls = self.aggregate.aggr_expr().iter();
        let calls: Vec<&str> = calls.map(|call| call.name()).collect();
        write!(
            f,
            "DenseAggregateExec: gby=[{}], aggr=[{}], keys={}..{}, group_bytes={}, parts={}",
            keys.join(", "),
            calls.join(", "),
            self.range.smallest,
            self.range.largest,
            self.range.group_bytes,
            self.range.parts(),
        )
    }
}

impl ExecutionPlan for DenseAggregateExec {
    fn name(&self) -> &str {
        "DenseAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![self.aggregate.input()]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.aggregate.apply_expressions(f)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("an aggregation has one input");
        };
        let again = AggregateExec::try_new(
            AggregateMode::SinglePartitioned,
            self.aggregate.group_expr().clone(),
            self.aggregate.aggr_expr().to_vec(),
            self.aggregate.filter_expr().to_vec(),
            input,
            self.aggregate.input_schema(),
        )?;
        Ok(Arc::new(Self::over(
            Arc::new(again),
            self.range,
            self.partitions(),
        )?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let filled = self.filled(partition, &context)?;
        let (partitions, rows) = (self.partitions(), context.session_config().batch_size());
        let schema = self.schema();
        let columns = Arc::clone(&schema);
        let groups = async_try_stream(move |mut emitter| async move {
            let groups = filled.await.map_err(DataFusionError::Shared)?;
            let parts = groups.parts();
            for part in partition * parts / partitions..(partition + 1) * parts / partitions {
                let Some(batch) = groups.take(part, &columns)? else {
                    continue;
                };
                for start in (0..batch.num_rows()).step_by(rows) {
                    let batch = batch.slice(start, rows.min(batch.num_rows() - start));
                    baseline.record_output(batch.num_rows());
                    emitter.emit(batch).await;
                }
            }
            Ok(())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, groups)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
