//! Aggregations whose tables fit the cache.
//!
//! An aggregation of many groups spends its time waiting for memory: each row goes to a place
//! of its own in a table of hundreds of megabytes. Dealt to more partitions than there are
//! cores, and visited with many rows at a time, each table is small enough to stay in the
//! cache of a core meanwhile (radix partitioning: Manegold, Boncz and Kersten, "Optimizing
//! Main-Memory Join on Modern Hardware", 2002). Aggregating before the exchange is given up
//! as soon as it saves little.
//!
//! The scan below stays as it is, and so does everything above: only the exchange deals to
//! more partitions, and [`node::CacheSizedExec`] hands them on as those that were there.

mod estimate;
mod machine;
mod node;
mod sizing;

use std::sync::Arc;

use datafusion::common::config::{ConfigOptions, ExecutionOptions};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, ExecutionPlanProperties, InputOrderMode, Partitioning,
    ReplaceChildrenOptions,
};

use super::settings::ExecSettings;
pub(super) use estimate::{rows, width};
pub(super) use machine::l2_bytes;
use node::{BatchSizeExec, CacheSizedExec};
use sizing::Limits;

/// The rule that puts them in.
#[derive(Debug)]
pub(super) struct CacheSized;

impl PhysicalOptimizerRule for CacheSized {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        options: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let settings = ExecSettings::of(options);
        if !settings.cache_sized || is_set_by_user(&options.execution, &settings) {
            return Ok(plan);
        }
        plan.transform_up(|node| {
            let Some(found) = Found::at(&node) else {
                return Ok(Transformed::no(node));
            };
            Ok(match found.sized(options, &settings)? {
                Some(sized) => Transformed::yes(sized),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "cache_sized"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Who chooses partitions or batches by himself gets what he chose.
pub(super) fn is_set_by_user(execution: &ExecutionOptions, settings: &ExecSettings) -> bool {
    let usual = ExecutionOptions::default();
    let ratio = execution.skip_partial_aggregation_probe_ratio_threshold;
    let rows = execution.skip_partial_aggregation_probe_rows_threshold;
    execution.batch_size != usual.batch_size
        || ratio != usual.skip_partial_aggregation_probe_ratio_threshold
        || rows != usual.skip_partial_aggregation_probe_rows_threshold
        || execution.target_partitions != settings.partitions
}

/// Partial aggregation, exchange, final aggregation, with nothing between.
struct Found<'a> {
    last: &'a Arc<dyn ExecutionPlan>,
    exchange: &'a RepartitionExec,
    first: &'a Arc<dyn ExecutionPlan>,
    partial: &'a AggregateExec,
}

impl<'a> Found<'a> {
    fn at(last: &'a Arc<dyn ExecutionPlan>) -> Option<Self> {
        let merging = aggregate(last, AggregateMode::FinalPartitioned)?;
        let exchange = merging.input().downcast_ref::<RepartitionExec>()?;
        let first = exchange.input();
        let partial = aggregate(first, AggregateMode::Partial)?;
        let is_hash = matches!(exchange.partitioning(), Partitioning::Hash(..));
        (is_hash && !exchange.preserve_order()).then_some(Self {
            last,
            exchange,
            first,
            partial,
        })
    }

    /// The same with the partitions that fit; none where those there are do.
    fn sized(
        &self,
        options: &ConfigOptions,
        settings: &ExecSettings,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let partitions = self.last.output_partitioning().partition_count();
        let limits = Limits {
            partitions,
            l2: match settings.cache_bytes {
                0 => l2_bytes(),
                bytes => bytes,
            },
            memory: (settings.memory_limit > 0).then_some(settings.memory_limit),
        };
        let Some(mut estimate) = estimate::of(self.partial, settings.cache_sized_rows)? else {
            return Ok(None);
        };
        estimate.aggregate_first |= depends_on_order(self.partial);
        let Some(sizing) = sizing::choose(estimate, limits) else {
            return Ok(None);
        };
        let rows = options.execution.batch_size.get();
        let last = match sizing.estimate.aggregate_first {
            true => self.two_stages(sizing.partitions, rows)?,
            false => self.one_stage(sizing.partitions, rows)?,
        };
        // What the plan above relies on.
        let sized = CacheSizedExec::over(last, partitions, sizing);
        Ok(sized.and_then(|sized| {
            let fits = sized.schema() == self.last.schema()
                && sized.properties().output_partitioning() == self.last.output_partitioning();
            fits.then(|| Arc::new(sized) as _)
        }))
    }

    /// The same with more partitions between.
    fn two_stages(&self, partitions: usize, rows: usize) -> Result<Arc<dyn ExecutionPlan>> {
        let first = with_input(self.first, self.input(rows))?;
        let keys = match self.exchange.partitioning() {
            Partitioning::Hash(keys, _) => keys.clone(),
            other => return internal_err!("no hash partitioning: {other}"),
        };
        let dealt = Partitioning::Hash(keys, partitions);
        let exchange = Arc::new(RepartitionExec::try_new(first, dealt)?);
        with_input(self.last, exchange)
    }

    /// Rows are dealt as they come, and aggregated once.
    fn one_stage(&self, partitions: usize, rows: usize) -> Result<Arc<dyn ExecutionPlan>> {
        let partial = self.partial;
        let dealt = Partitioning::Hash(partial.group_expr().input_exprs(), partitions);
        let exchange = Arc::new(RepartitionExec::try_new(self.input(rows), dealt)?);
        Ok(Arc::new(AggregateExec::try_new(
            AggregateMode::SinglePartitioned,
            partial.group_expr().clone(),
            partial.aggr_expr().to_vec(),
            partial.filter_expr().to_vec(),
            exchange,
            partial.input_schema(),
        )?))
    }

    /// The rows to aggregate: a join keeps its batches of `rows`, a scan has larger ones.
    fn input(&self, rows: usize) -> Arc<dyn ExecutionPlan> {
        let input = Arc::clone(self.partial.input());
        match is_chain(&input) {
            true => input,
            false => Arc::new(BatchSizeExec::new(input, rows)),
        }
    }
}

/// Rows that are dealt before they are aggregated lose their order.
fn depends_on_order(partial: &AggregateExec) -> bool {
    let expressions = partial.aggr_expr();
    expressions
        .iter()
        .any(|it| !it.order_bys().is_empty() || !it.order_sensitivity().is_insensitive())
}

/// Is this one input all the way down?
fn is_chain(plan: &Arc<dyn ExecutionPlan>) -> bool {
    match plan.children().as_slice() {
        [] => true,
        [child] => is_chain(child),
        _ => false,
    }
}

/// An aggregation of the usual kind.
fn aggregate(plan: &Arc<dyn ExecutionPlan>, mode: AggregateMode) -> Option<&AggregateExec> {
    let found = plan.downcast_ref::<AggregateExec>()?;
    let is_usual = *found.mode() == mode
        && *found.input_order_mode() == InputOrderMode::Linear
        && found.limit_options().is_none()
        && found.group_expr().is_single()
        && !found.group_expr().is_empty();
    is_usual.then_some(found)
}

fn with_input(
    plan: &Arc<dyn ExecutionPlan>,
    input: Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>> {
    Arc::clone(plan).replace_children(
        vec![input],
        ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
    )
}
