//! Plans that merge states with what new files add to them.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result as PlanResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};

use super::rows::without_dynamic;
use super::{Aggregation, ScannedFile};

impl Aggregation {
    /// The merged state of states (rows with [`Self::state_columns`]) and files.
    pub(crate) fn merged(
        &self,
        states: Option<Arc<dyn ExecutionPlan>>,
        files: &[&ScannedFile],
        options: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let input = self.states_of(states, files, options)?;
        let partitions = options.execution.target_partitions;
        let (input, _) = self.by_group(input, partitions)?;
        self.aggregate(AggregateMode::PartialReduce, self.groups(), input)
    }

    /// What stands in the place of the aggregate: states, and the rest of the files.
    pub(crate) fn resumed(
        &self,
        states: Arc<dyn ExecutionPlan>,
        rest: &[&ScannedFile],
        options: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let states = self.states_of(Some(states), rest, options)?;
        let partitions = match self.aggregate.mode() {
            AggregateMode::Partial => return Ok(states),
            AggregateMode::SinglePartitioned => self.node.output_partitioning().partition_count(),
            _ => 1,
        };
        let (states, is_partitioned) = self.by_group(states, partitions)?;
        let mode = match is_partitioned {
            true => AggregateMode::FinalPartitioned,
            false => AggregateMode::Final,
        };
        let groups = self.aggregate(mode, self.groups(), states)?;
        match (self.is_sorted, self.node.output_ordering()) {
            (true, Some(order)) => {
                let sorted = SortExec::new(order.clone(), groups);
                Ok(Arc::new(sorted.with_preserve_partitioning(true)))
            }
            _ => Ok(groups),
        }
    }

    pub(super) fn partial_schema(&self) -> PlanResult<SchemaRef> {
        let partial = self.partial(Arc::clone(&self.rows.plan))?;
        Ok(partial.schema())
    }

    fn groups(&self) -> PhysicalGroupBy {
        self.aggregate.group_expr().as_final()
    }

    fn aggregate(
        &self,
        mode: AggregateMode,
        groups: PhysicalGroupBy,
        input: Arc<dyn ExecutionPlan>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(AggregateExec::try_new(
            mode,
            groups,
            self.aggregate.aggr_expr().to_vec(),
            self.aggregate.filter_expr().to_vec(),
            input,
            self.aggregate.input_schema(),
        )?))
    }

    fn partial(&self, rows: Arc<dyn ExecutionPlan>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let groups = self.aggregate.group_expr().clone();
        self.aggregate(AggregateMode::Partial, groups, rows)
    }

    /// States that are there, and those that files make.
    fn states_of(
        &self,
        states: Option<Arc<dyn ExecutionPlan>>,
        files: &[&ScannedFile],
        options: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let mut inputs = vec![];
        if let Some(states) = states {
            inputs.push(self.named(states)?);
        }
        if !files.is_empty() {
            inputs.push(self.partial(self.rows_of(files, options)?)?);
        }
        UnionExec::try_new(inputs)
    }

    /// States by the names that the aggregate gives to their columns.
    fn named(&self, states: Arc<dyn ExecutionPlan>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let schema = self.partial_schema()?;
        let columns = states.schema();
        let columns = columns.fields().iter().zip(schema.fields()).enumerate();
        let columns = columns.map(|(place, (own, wanted))| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(own.name(), place));
            (column, wanted.name().clone())
        });
        let columns: Vec<_> = columns.collect();
        Ok(Arc::new(ProjectionExec::try_new(columns, states)?))
    }

    /// States distributed by their groups, or all in one place.
    fn by_group(
        &self,
        states: Arc<dyn ExecutionPlan>,
        partitions: usize,
    ) -> PlanResult<(Arc<dyn ExecutionPlan>, bool)> {
        let groups = self.groups().input_exprs();
        if groups.is_empty() || partitions == 1 {
            let one = states.output_partitioning().partition_count() == 1;
            return Ok(match one {
                true => (states, false),
                false => (Arc::new(CoalescePartitionsExec::new(states)), false),
            });
        }
        let by = Partitioning::Hash(groups, partitions);
        Ok((Arc::new(RepartitionExec::try_new(states, by)?), true))
    }

    /// The same rows of some of the files.
    fn rows_of(
        &self,
        files: &[&ScannedFile],
        options: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let scan = self.scan(files, options)?;
        let rows = Arc::clone(&self.rows.plan).transform_down(|node| {
            Ok(match node.is::<DataSourceExec>() {
                true => Transformed::yes(Arc::clone(&scan)),
                false => Transformed::no(node),
            })
        })?;
        Ok(rows.data)
    }

    fn scan(
        &self,
        files: &[&ScannedFile],
        options: &ConfigOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let partitions = options.execution.target_partitions.max(1);
        let files = files.iter().map(|it| it.scanned.clone()).collect();
        let mut config = FileScanConfigBuilder::from(self.rows.scan.clone())
            .with_file_groups(FileGroup::new(files).split_files(partitions));
        let source = self.rows.scan.file_source.downcast_ref::<ParquetSource>();
        if let Some(source) = source.and_then(without_dynamic) {
            config = config.with_source(Arc::new(source) as Arc<dyn FileSource>);
        }
        let config = config.build();
        let least = options.optimizer.repartition_file_min_size;
        let split = match options.optimizer.repartition_file_scans {
            true => config.repartitioned(partitions, least, None)?,
            false => None,
        };
        Ok(match split {
            Some(source) => Arc::new(DataSourceExec::new(source)),
            None => DataSourceExec::from_data_source(config),
        })
    }
}
