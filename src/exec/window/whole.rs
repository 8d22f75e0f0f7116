//! The operator for functions whose frame is their whole partition.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext, async_try_stream};
use datafusion::physical_expr::Distribution;
use datafusion::physical_expr::window::WindowExpr;

use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, SpillMetrics,
};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PhysicalExpr, PlanProperties,
};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use super::appended::{appended_properties, appended_statistics, with_columns};
use super::function::Function;
use super::gathered::{Answers, Part, answer};
use super::grouped::Groups;

/// What is computed, and over which columns.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) functions: Vec<Function>,
    pub(super) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) input: SchemaRef,
    output: SchemaRef,
    names: Vec<String>,
    /// Whether rows of one key may be anywhere but in one partition of the input.
    single_partition: bool,
}

impl Window {
    pub(super) fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.output);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}

/// Folds the rows, keeps them (beyond the memory limit in a file), and gives them out again with
/// the answers, in the partitions and in the order in which they came.
#[derive(Debug)]
pub(super) struct WholeFrameExec {
    input: Arc<dyn ExecutionPlan>,
    window: Arc<Window>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    running: Mutex<Option<Running>>,
}

type Outcome = Shared<BoxFuture<'static, std::result::Result<Arc<Answers>, Arc<DataFusionError>>>>;

/// One execution without PARTITION BY: whoever asks first gathers for all.
struct Running {
    outcome: Outcome,
    asked: Vec<bool>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl WholeFrameExec {
    /// Over expressions of one window, read as `functions`. Without `partitioned`, keys are no
    /// reason to distribute the rows.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        exprs: &[Arc<dyn WindowExpr>],
        functions: Vec<Function>,
        partitioned: bool,
    ) -> Result<Self> {
        let keys = exprs[0].partition_by().to_vec();
        let apart = match keys.is_empty() {
            true => functions.iter().all(Function::is_orderless),
            false => partitioned,
        };
        let window = Window {
            functions,
            keys,
            input: input.schema(),
            output: with_columns(&input.schema(), exprs)?,
            names: exprs.iter().map(|expr| expr.name().to_owned()).collect(),
            single_partition: !apart,
        };
        Self::over(input, Arc::new(window))
    }

    fn over(input: Arc<dyn ExecutionPlan>, window: Arc<Window>) -> Result<Self> {
        let properties = appended_properties(&input, &window.output)?;
        Ok(Self {
            input,
            window,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            running: Mutex::default(),
        })
    }

    /// The outcome of gathering all partitions, begun when it is first polled.
    fn outcome(&self, partition: usize, context: &Arc<TaskContext>) -> Result<Outcome> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A partition that is asked for again means another execution.
        let current = running.take().filter(|running| !running.asked[partition]);
        let mut current = match current {
            Some(current) => current,
            None => self.start(context)?,
        };
        current.asked[partition] = true;
        let outcome = current.outcome.clone();
        if !current.asked.iter().all(|asked| *asked) {
            *running = Some(current);
        }
        Ok(outcome)
    }

    fn start(&self, context: &Arc<TaskContext>) -> Result<Running> {
        let partitions = self.input.output_partitioning().partition_count();
        let input = |partition| {
            let metrics = SpillMetrics::new(&self.metrics, partition);
            let part = Part::new(&self.window, context, &metrics, partition)?;
            Ok((part, self.input.execute(partition, Arc::clone(context))?))
        };
        let inputs = (0..partitions).map(input).collect::<Result<Vec<_>>>()?;
        let gathering = answer(Arc::clone(&self.window), inputs);
        let outcome = gathering.map(|answers| answers.map(Arc::new).map_err(Arc::new));
        Ok(Running {
            outcome: outcome.boxed().shared(),
            asked: vec![false; partitions],
        })
    }

    fn execute_whole(
        &self,
        partition: usize,
        context: &Arc<TaskContext>,
        baseline: BaselineMetrics,
    ) -> Result<SendableRecordBatchStream> {
        let outcome = self.outcome(partition, context)?;
        let window = Arc::clone(&self.window);
        let schema = Arc::clone(&window.output);
        let rows = async_try_stream(move |mut emitter| async move {
            let answers = outcome.await.map_err(DataFusionError::Shared)?;
            let mut part = answers.take(partition)?;
            while let Some(batch) = answers.next(&window, &mut part).await? {
                baseline.record_output(batch.num_rows());
                emitter.emit(batch).await;
            }
            Ok(())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn execute_grouped(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
        baseline: BaselineMetrics,
    ) -> Result<SendableRecordBatchStream> {
        let metrics = SpillMetrics::new(&self.metrics, partition);
        let groups = Groups::new(&self.window, &context, &metrics, partition)?;
        let input = self.input.execute(partition, context)?;
        let window = Arc::clone(&self.window);
        let schema = Arc::clone(&window.output);
        let rows = async_try_stream(move |mut emitter| async move {
            let mut answered = groups.answer(&window, input).await?;
            while let Some(batch) = answered.next(&window).await? {
                baseline.record_output(batch.num_rows());
                emitter.emit(batch).await;
            }
            Ok(())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

impl DisplayAs for WholeFrameExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.window.names.iter().zip(&self.window.functions);
        let functions: Vec<String> = named
            .map(|(name, function)| match function {
                Function::Scores { .. } if self.window.keys.is_empty() => {
                    format!("{name} by counting passes")
                }
                Function::Scores { .. } => format!("{name} by selection"),
                Function::Aggregate(_) => name.clone(),
            })
            .collect();
        write!(f, "WholeFrameExec: functions=[{}]", functions.join(", "))?;
        if !self.window.keys.is_empty() {
            let keys: Vec<String> = self.window.keys.iter().map(ToString::to_string).collect();
            write!(f, ", partition_by=[{}]", keys.join(", "))?;
        }
        Ok(())
    }
}

impl ExecutionPlan for WholeFrameExec {
    fn name(&self) -> &str {
        "WholeFrameExec"
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
        let window = &self.window;
        InputDistributionRequirements::new(vec![match window.keys.is_empty() {
            _ if window.single_partition => Distribution::SinglePartition,
            true => Distribution::UnspecifiedDistribution,
            false => Distribution::KeyPartitioned(window.keys.clone()),
        }])
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let arguments = self
            .window
            .functions
            .iter()
            .flat_map(|function| match function {
                Function::Aggregate(aggregate) => aggregate.0.expressions(),
                Function::Scores { arguments, .. } => arguments.clone(),
            });
        for expr in arguments.chain(self.window.keys.iter().cloned()) {
            if f(&expr)? == TreeNodeRecursion::Stop {
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
        Ok(Arc::new(Self::over(input, Arc::clone(&self.window))?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        if self.window.keys.is_empty() {
            return self.execute_whole(partition, &context, baseline);
        }
        self.execute_grouped(partition, context, baseline)
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
        Ok(appended_statistics(&inputs[0], &self.window.output))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
