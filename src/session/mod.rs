//! The one place where a DataFusion session is built: functions, memory,
//! threads, time zone.

mod date_days;
mod dates;
mod distinct;
mod expressions;
mod interval_length;
mod local_literal;
mod local_time;
mod marks;
mod memory;
mod moment;
mod nanoseconds;
mod size;
mod star;
mod subqueries;
mod unnest;
mod variables;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::Result;
use crate::exec;

pub use dates::{Every, dates};
pub use memory::{MemoryBudget, MemoryWatch};
pub use moment::{Moment, parse_zone};
pub use size::parse_size;
pub use variables::{Variable, Variables};

/// What a session may use of the machine.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    /// What queries may hold.
    pub memory: MemoryBudget,
    /// Whether the process is queries and nothing else, so that what it holds beyond
    /// this comes from operators that do not account for it, and ends them.
    pub watch_process: bool,
    /// Worker threads and partitions; default one a core.
    pub threads: Option<NonZeroUsize>,
    /// Where to spill to; default the system's folder.
    pub temp_dir: Option<PathBuf>,
}

/// Each sort keeps one part in so many of the memory for merging what it spilled; with
/// the usual 10 MB a dozen of them would take all of a small limit.
const SORTS_RESERVE: usize = 32;

/// Builds a session, and the watch over its memory where that is limited.
pub fn build(
    resources: &Resources,
    zone: chrono_tz::Tz,
) -> Result<(SessionContext, Option<MemoryWatch>)> {
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
    let mut settings = exec::ExecSettings {
        partitions: config.target_partitions(),
        ..exec::ExecSettings::default()
    };
    if let MemoryBudget::Bytes(limit) = resources.memory {
        settings.memory_limit = memory::share_of_operators(limit);
        let usual = config.options().execution.sort_spill_reservation_bytes;
        let sorts = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        *sorts = usual.min(limit / SORTS_RESERVE);
    }
    config = config.with_option_extension(settings);
    let mut runtime = RuntimeEnvBuilder::new();
    let mut watch = None;
    if let Some((pool, over_it)) = memory::limited(resources.memory, resources.watch_process) {
        runtime = runtime.with_memory_pool(pool);
        watch = over_it;
    }
    if let Some(folder) = &resources.temp_dir {
        runtime = runtime.with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::Directories(vec![folder.clone()])),
        );
    }
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_analyzer_rules(analyzer_rules())
        .with_optimizer_rules(unnest::guarded(distinct::optimizer_rules()))
        .with_physical_optimizer_rules(physical_rules());
    let mut context = SessionContext::new_with_state(state.build());
    segql_udfs::register_all(&mut context)?;
    for function in segql_udfs::exact_aggregates() {
        context.register_udaf(function.as_ref().clone());
    }
    context.register_expr_planner(Arc::new(date_days::DateDays))?;
    context.register_expr_planner(Arc::new(interval_length::DateDifference))?;
    context.register_expr_planner(Arc::new(star::Star))?;
    Ok((context, watch))
}

/// The same session for plans that are to run on one core, next to others.
pub fn on_one_core(session: &SessionContext) -> SessionContext {
    let mut state = session.state();
    state.config_mut().options_mut().execution.target_partitions = 1;
    SessionContext::new_with_state(state)
}

/// The same session with joins that sort both sides, and spill, where they would hold
/// one of them.
pub fn with_sorted_joins(session: &SessionContext) -> SessionContext {
    let mut state = session.state();
    state.config_mut().options_mut().optimizer.prefer_hash_join = false;
    SessionContext::new_with_state(state)
}

fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = exec::first_physical_rules();
    rules.extend(PhysicalOptimizer::new().rules);
    rules.extend(exec::physical_rules());
    rules
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
