//! The input of a window that stays with DataFusion: its operator holds all rows, and a copy of
//! them side by side, where no limit sees it. Counted here, too many end in the pool's clear error
//! instead of in the end of the process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
};
use futures::StreamExt;

use super::held::Held;

/// Passes batches on and reserves what holding them takes, for as long as the plan lives: the
/// window gives out slices of one batch with all rows.
#[derive(Debug)]
pub(super) struct AccountedExec {
    input: Arc<dyn ExecutionPlan>,
    reserved: Arc<Mutex<Vec<Reserved>>>,
}

#[derive(Debug)]
struct Reserved {
    batches: Held,
    copy: MemoryReservation,
}

impl AccountedExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            reserved: Arc::default(),
        }
    }
}

impl Reserved {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.batches.try_add(batch)?;
        let mut bytes = 0;
        for column in batch.columns() {
            bytes += column.to_data().get_slice_memory_size()?;
        }
        self.copy.try_grow(bytes)
    }
}

impl DisplayAs for AccountedExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountedExec: what the window above holds")
    }
}

impl ExecutionPlan for AccountedExec {
    fn name(&self) -> &str {
        "AccountedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("one input is accounted for");
        };
        Ok(Arc::new(Self::new(input)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let pool = context.memory_pool();
        let consumer = || MemoryConsumer::new(format!("WindowAggExec[{partition}]"));
        let reserved = Reserved {
            batches: Held::new(consumer().register(pool)),
            copy: consumer().register(pool),
        };
        let at = {
            let mut all = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(reserved);
            all.len() - 1
        };
        let all = Arc::clone(&self.reserved);
        let input = self.input.execute(partition, context)?;
        let passed = input.map(move |batch| {
            let batch = batch?;
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all[at].add(&batch)?;
            Ok(batch)
        });
        let schema = self.input.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, passed)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
