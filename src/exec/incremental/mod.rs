//! Aggregates whose partial states can be kept from one run to the next.
//!
//! A partial aggregate over row-wise operators over a scan of files makes, of each
//! file, a state that depends on that file alone; states of several files merge into
//! one, whatever the order, when every function's state is exact. So the state of the
//! files seen yesterday serves today, and only new files are read:
//!
//! ```text
//! final( repartition( partial( rows( scan(all files) ))))
//! final( repartition( union( states, partial( rows( scan(new files) )))))
//! ```
//!
//! What is visible as of a date stands between scan and aggregate as `time <= limit`.
//! Of a file whose largest time is within the limit, every row with a time is visible,
//! today and at every later limit: the state of such files does not depend on the
//! limit, and its key ([`expression`]) leaves it out. Files that reach beyond it are
//! not part of a state and are read each time. A NULL time is not compared with the
//! limit by anything, so what becomes of it does not depend on it either.
//!
//! What is not recognised (joins, windows, DISTINCT, ordered aggregates, functions
//! whose states keep all values, files without statistics) is left as it is.

mod expression;
mod functions;
mod rebuild;
mod rows;

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result as PlanResult};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};
use sha2::{Digest, Sha256};

pub(crate) use functions::merges_exactly;
pub(crate) use rows::ScannedFile;

use super::dense::DenseAggregateExec;
use expression::Text;
use rows::Rows;

/// Goes up when states of the same functions over the same types come to mean
/// something else.
const STATE_FORMAT: u32 = 1;

/// An aggregate whose state can be kept.
#[derive(Debug)]
pub(crate) struct Aggregation {
    node: Arc<dyn ExecutionPlan>,
    aggregate: AggregateExec,
    rows: Rows,
    /// Does the plan above rely on groups in the order of their key?
    is_sorted: bool,
    /// What is computed: the same key over the same files has the same state.
    pub(crate) key: String,
    /// What is computed, in a few words.
    pub(crate) about: String,
    /// The files that are read.
    pub(crate) files: Vec<ScannedFile>,
}

impl Aggregation {
    /// Every such aggregate of a plan, the outermost ones first.
    pub(crate) fn all(
        plan: &Arc<dyn ExecutionPlan>,
        options: &ConfigOptions,
    ) -> PlanResult<Vec<Self>> {
        let mut found = vec![];
        plan.apply(|node| {
            Ok(match Self::new(node, options) {
                Some(aggregation) => {
                    found.push(aggregation);
                    TreeNodeRecursion::Jump
                }
                None => TreeNodeRecursion::Continue,
            })
        })?;
        Ok(found)
    }

    fn new(node: &Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Option<Self> {
        let dense = node.downcast_ref::<DenseAggregateExec>();
        let aggregate = match dense {
            Some(dense) => dense.aggregate(),
            None => node.downcast_ref::<AggregateExec>()?,
        };
        let takes_rows = matches!(
            aggregate.mode(),
            AggregateMode::Partial | AggregateMode::Single | AggregateMode::SinglePartitioned
        );
        let groups = aggregate.group_expr();
        let is_plain = groups.null_expr().is_empty() && !groups.has_grouping_set();
        let is_ordered = *aggregate.input_order_mode() != InputOrderMode::Linear;
        if !takes_rows || !is_plain || is_ordered || aggregate.limit_options().is_some() {
            return None;
        }
        let mut text = Text::default();
        let rows = Rows::new(aggregate.input(), &mut text)?;
        functions::describe(aggregate, &mut text)?;
        let about = functions::about(aggregate);
        Some(Self {
            node: Arc::clone(node),
            files: rows.files(&text)?,
            key: key(&text, options),
            is_sorted: dense.is_some(),
            about,
            aggregate: aggregate.clone(),
            rows,
        })
    }

    /// The columns of a state; they count by place.
    pub(crate) fn state_columns(&self) -> PlanResult<SchemaRef> {
        let partial = self.partial_schema()?;
        let fields = partial.fields().iter().enumerate();
        let fields = fields
            .map(|(place, field)| Field::new(format!("c{place}"), field.data_type().clone(), true));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }
}

/// Puts plans into the places of aggregates.
pub(crate) fn put_in(
    plan: Arc<dyn ExecutionPlan>,
    instead: &[(Aggregation, Arc<dyn ExecutionPlan>)],
) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let put = |node: Arc<dyn ExecutionPlan>| {
        let mut found = instead.iter();
        let found = found.find(|(aggregation, _)| Arc::ptr_eq(&aggregation.node, &node));
        Ok::<_, DataFusionError>(match found {
            Some((_, plan)) => Transformed::new(Arc::clone(plan), true, TreeNodeRecursion::Jump),
            None => Transformed::no(node),
        })
    };
    Ok(plan.transform_down(put)?.data)
}

/// The versions that decide what a state means, and all that is computed.
fn key(text: &Text, options: &ConfigOptions) -> String {
    let execution = &options.execution;
    let versions = format!(
        "{STATE_FORMAT} {} {} {:?} {}",
        env!("CARGO_PKG_VERSION"),
        datafusion::DATAFUSION_VERSION,
        execution.time_zone,
        execution.enable_ansi_mode,
    );
    let mut hash = Sha256::new();
    hash.update(versions);
    hash.update(text.as_str());
    let digest = hash.finalize();
    let bytes = digest.iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
