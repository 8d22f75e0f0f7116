//! Aggregations by a whole number whose values lie close together: customers numbered
//! from one to a million.
//!
//! Where the statistics of the files say so, a group's place is its key less the smallest:
//! nothing is hashed, nothing is looked up, and the groups come out in the order of their
//! keys. Rows are dealt to ranges of keys whose groups stay in the cache of a core while
//! they are visited, many rows at a time (radix partitioning: Manegold, Boncz and Kersten,
//! "Optimizing Main-Memory Join on Modern Hardware", 2002).
//!
//! Used where all groups there may be, with their states, fit what memory there is; what
//! does not stays with DataFusion's aggregation, which spills.

mod groups;
mod node;
mod range;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use super::cache_sized::{is_set_by_user, l2_bytes};
use super::settings::ExecSettings;

pub(super) use node::DenseAggregateExec;

use range::range_of;

/// The rule that puts it in. Runs before DataFusion sees to the order and the distribution
/// that operators ask for: its groups come sorted, and rows may come from anywhere.
#[derive(Debug)]
pub(super) struct Dense;

/// Of the memory that operators may hold, in parts of a hundred: what the groups take at
/// most.
const SHARE_OF_MEMORY: usize = 75;

impl PhysicalOptimizerRule for Dense {
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
            Ok(match dense(&node, options, &settings)? {
                Some(dense) => Transformed::yes(dense),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "dense_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn dense(
    node: &Arc<dyn ExecutionPlan>,
    options: &ConfigOptions,
    settings: &ExecSettings,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let usual = |plan: &Arc<dyn ExecutionPlan>, mode| {
        let found = plan.downcast_ref::<AggregateExec>()?;
        let is_usual = *found.mode() == mode
            && *found.input_order_mode() == InputOrderMode::Linear
            && found.limit_options().is_none()
            && found.group_expr().is_single();
        is_usual.then(|| found.clone())
    };
    let Some(last) = usual(node, AggregateMode::FinalPartitioned) else {
        return Ok(None);
    };
    let Some(first) = usual(last.input(), AggregateMode::Partial) else {
        return Ok(None);
    };
    if !first.aggr_expr().iter().all(|call| is_fixed(call)) {
        return Ok(None);
    }
    let Some(range) = range_of(&first, settings.cache_sized_rows)? else {
        return Ok(None);
    };
    let l2 = match settings.cache_bytes {
        0 => l2_bytes(),
        bytes => bytes,
    };
    let bytes = range.count().saturating_mul(range.group_bytes);
    let most = match settings.memory_limit {
        0 => usize::MAX,
        limit => limit / 100 * SHARE_OF_MEMORY,
    };
    if bytes > most {
        return Ok(None);
    }
    let partitions = options.execution.target_partitions;
    let dense = DenseAggregateExec::new(&first, range.in_cache(l2), partitions)?;
    let fits = dense.schema() == node.schema();
    Ok(fits.then(|| Arc::new(dense) as _))
}

/// Has its state a size of its own, whatever the rows, and does their order not matter?
fn is_fixed(call: &datafusion::physical_expr::aggregate::AggregateFunctionExpr) -> bool {
    let fixed = |data_type: &DataType| {
        data_type.primitive_width().is_some() || *data_type == DataType::Boolean
    };
    !call.is_distinct()
        && !call.ignore_nulls()
        && call.order_bys().is_empty()
        && call.order_sensitivity().is_insensitive()
        && call.groups_accumulator_supported()
        && fixed(call.field().data_type())
        && call
            .state_fields()
            .is_ok_and(|fields| fields.iter().all(|it| fixed(it.data_type())))
}
