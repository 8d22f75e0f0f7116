//! The operator: reads all entrants side by side, tells what it has counted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::JoinSet;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, Partitioning,
    PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::counts::{Counts, Rows, told};
use super::names::{Labels, Names, label_name};
use super::shards::{Bits, Scratch, Shards};
use super::{Counted, Shape};

#[derive(Debug)]
pub(super) struct MembershipExec {
    /// The entrants of all groups, one after the other.
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    groups: Vec<Vec<Counted>>,
    shape: Shape,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl MembershipExec {
    pub(super) fn new(
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        groups: Vec<Vec<Counted>>,
        shape: Shape,
        projection: Option<Vec<usize>>,
    ) -> Result<Self> {
        let schema = match &projection {
            Some(columns) => Arc::new(shape.schema().project(columns)?),
            None => shape.schema(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self {
            inputs,
            groups,
            shape,
            projection,
            properties: Arc::new(properties),
        })
    }
}

impl DisplayAs for MembershipExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.inputs.len();
        write!(f, "MembershipExec: {:?} of {inputs} inputs", self.shape)
    }
}

impl ExecutionPlan for MembershipExec {
    fn name(&self) -> &str {
        "MembershipExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let single = self.inputs.iter().map(|_| Distribution::SinglePartition);
        InputDistributionRequirements::new(single.collect())
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.inputs.len() {
            return internal_err!("memberships have as many inputs as before");
        }
        let (groups, projection) = (self.groups.clone(), self.projection.clone());
        Ok(Arc::new(Self::new(
            children, groups, self.shape, projection,
        )?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition > 0 {
            return internal_err!("memberships are told in one partition");
        }
        let mut inputs = self.inputs.iter().cloned();
        let groups = self.groups.iter();
        let groups: Vec<Vec<Input>> = groups
            .map(|group| group.iter().cloned().zip(inputs.by_ref()).collect())
            .collect();
        let (shape, projection) = (self.shape, self.projection.clone());
        let rows = context.session_config().batch_size();
        let batches = async move {
            let mut counts = vec![];
            for group in groups {
                counts.push(count(group, &context).await?);
            }
            let mut told = told(&counts, shape)?;
            if let Some(columns) = projection {
                told = told.project(&columns)?;
            }
            Ok::<_, DataFusionError>(stream::iter(in_parts(&told, rows)).map(Ok))
        };
        let schema = self.schema();
        let batches = stream::once(batches).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}

type Input = (Counted, Arc<dyn ExecutionPlan>);

fn in_parts(batch: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(rows.max(1));
    let part = |start: usize| batch.slice(start, rows.min(batch.num_rows() - start));
    starts.map(part).collect()
}

/// Adds up one group, as many of its inputs at once as there are cores.
async fn count(group: Vec<Input>, context: &Arc<TaskContext>) -> Result<Counts> {
    let counted: Vec<Counted> = group.iter().map(|(counted, _)| counted.clone()).collect();
    let Some((_, first)) = group.first() else {
        return internal_err!("a group has an input");
    };
    let key_type = first.schema().field(0).data_type().clone();
    let shards = Arc::new(Shards::new(Names::of(&counted), &key_type, context)?);
    let tasks = context
        .session_config()
        .target_partitions()
        .min(group.len());
    let waiting = Arc::new(Mutex::new(VecDeque::from(group)));
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (shards, waiting) = (Arc::clone(&shards), Arc::clone(&waiting));
        let context = Arc::clone(context);
        running.spawn(async move {
            let mut scratch = Scratch::default();
            let next = || {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.pop_front()
            };
            while let Some((counted, input)) = next() {
                let rows = input.execute(0, Arc::clone(&context))?;
                add(&shards, &counted, rows, &mut scratch).await?;
            }
            Ok::<_, DataFusionError>(())
        });
    }
    all(running).await?;
    let shards = Arc::into_inner(shards).map(Shards::finish);
    let Some((names, mut shards)) = shards else {
        return internal_err!("nobody adds to memberships any more");
    };
    let memory = MemoryConsumer::new("MembershipExec counts").register(context.memory_pool());
    let share = shards.len().div_ceil(tasks);
    let mut counting = JoinSet::new();
    while !shards.is_empty() {
        let own = shards.split_off(shards.len().saturating_sub(share));
        let memory = memory.new_empty();
        counting.spawn(async move { Rows::of(own, memory) });
    }
    match Rows::merged(all(counting).await?)? {
        Some(rows) => Ok(Counts { names, rows }),
        None => internal_err!("there are shards"),
    }
}

/// What tasks return, in the order in which they end.
async fn all<T: 'static>(mut running: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut done = vec![];
    while let Some(ended) = running.join_next().await {
        done.push(ended.map_err(|_| exec_datafusion_err!("the count was cut off"))??);
    }
    Ok(done)
}

async fn add(
    shards: &Shards,
    counted: &Counted,
    mut rows: SendableRecordBatchStream,
    scratch: &mut Scratch,
) -> Result<()> {
    let mut labels = Labels::default();
    let same = match counted {
        Counted::Everyone => shards.names().everyone,
        Counted::Segment(name) => Some(shards.names().place(name)),
        Counted::Labels(..) => None,
    };
    while let Some(batch) = rows.try_next().await? {
        let keys = batch.column(0);
        match (same, counted) {
            (None, Counted::Labels(name, _)) => {
                let place_of = |label: &str| shards.names().place(&label_name(name, label));
                let places = labels.places(&batch, place_of);
                shards.add(keys, &Bits::Each(&places), scratch)?;
            }
            (same, _) => shards.add(keys, &Bits::All(same.unwrap_or(0)), scratch)?,
        }
    }
    Ok(())
}
