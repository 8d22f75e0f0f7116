//! The one place where a DataFusion session is built: functions, memory,
//! threads, time zone.

mod distinct;
mod expressions;
mod interval_length;
mod local_literal;
mod local_time;
mod marks;
mod moment;
mod nanoseconds;
mod size;
mod star;
mod subqueries;
mod variables;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::Result;
use crate::exec;

pub use moment::{Moment, parse_zone};
pub use size::parse_size;
pub use variables::{Variable, Variables};

/// What a session may use of the machine.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// Bytes queries may hold; beyond it they spill or fail.
    pub memory_limit: Option<usize>,
    /// Worker threads and partitions; default one a core.
    pub threads: Option<NonZeroUsize>,
    /// Where to spill to; default the system's folder.
    pub temp_dir: Option<PathBuf>,
}

/// How many of the largest holders of memory an error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).expect("five is not zero");

/// Builds a session.
pub fn build(resources: &Resources, zone: chrono_tz::Tz) -> Result<SessionContext> {
    let mut options = ConfigOptions::new();
    options.sql_parser.collect_spans = true;
    // The rule fails on a struct's field above a join whose columns keep their
    // names ("ambiguous"): score['r'] over a segmentation, for instance.
    options.optimizer.enable_leaf_expression_pushdown = false;
    options.execution.time_zone = Some(zone.name().to_owned());
    let mut config = SessionConfig::from(options).with_information_schema(true);
    if let Some(threads) = resources.threads {
        config = config.with_target_partitions(threads.get());
    }
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = resources.memory_limit {
        // A fair pool: a greedy one lets the first operator starve the rest.
        runtime = runtime.with_memory_pool(Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(bytes),
            NAMED_CONSUMERS,
        )));
    }
    if let Some(folder) = &resources.temp_dir {
        runtime = runtime.with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::Directories(vec![folder.clone()])),
        );
    }
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_analyzer_rules(analyzer_rules())
        .with_optimizer_rules(distinct::optimizer_rules());
    for rule in exec::physical_rules() {
        state = state.with_physical_optimizer_rule(rule);
    }
    let mut context = SessionContext::new_with_state(state.build());
    segql_udfs::register_all(&mut context)?;
    for function in segql_udfs::exact_aggregates() {
        context.register_udaf(function.as_ref().clone());
    }
    context.register_expr_planner(Arc::new(interval_length::DateDifference))?;
    context.register_expr_planner(Arc::new(star::Star))?;
    Ok(context)
}

/// DataFusion's rules between ours: see there why before or after.
fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> =
        vec![Arc::new(subqueries::Subqueries)];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(local_literal::LocalLiteral));
    rules.push(Arc::new(local_time::LocalTime));
    rules.push(Arc::new(interval_length::IntervalLength));
    rules
}
