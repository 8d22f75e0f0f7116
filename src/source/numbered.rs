//! `_line` of files that are not CSV: the number of the row in its file.
//!
//! Only when it is asked for each file is read whole and in order, out of reach
//! of the optimiser: what is skipped or split cannot be counted.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, DataFusionError, Result as PlanResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};

use super::FilesTable;
use super::table::line_field;

/// A table of files with `_line` last.
#[derive(Debug)]
pub(super) struct NumberedTable {
    files: FilesTable,
    schema: SchemaRef,
}

impl NumberedTable {
    pub(super) fn new(files: FilesTable) -> Self {
        let own = files.schema();
        let mut fields = own.fields().to_vec();
        fields.push(Arc::new(line_field(&own)));
        Self {
            files,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    fn line(&self) -> usize {
        self.schema.fields().len() - 1
    }

    /// One scan a file, dealt out to as many partitions as may run.
    async fn numbered(
        &self,
        session: &dyn Session,
        projection: &[usize],
    ) -> PlanResult<NumberedScan> {
        let wanted: Vec<usize> = projection.to_vec();
        let read = wanted.iter().copied().filter(|it| *it != self.line());
        let read: Vec<usize> = read.collect();
        let mut scans = vec![];
        for file in self.files.files() {
            scans.push(
                self.files
                    .scan_files(session, vec![file], Some(&read), None)
                    .await?,
            );
        }
        let partitions = session.config().target_partitions().max(1);
        let size = scans.len().div_ceil(partitions).max(1);
        let schema = Arc::new(self.schema.project(&wanted)?);
        let place = wanted.iter().position(|it| *it == self.line());
        let partitions: Vec<_> = scans.chunks(size).map(<[_]>::to_vec).collect();
        Ok(NumberedScan {
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(schema),
                Partitioning::UnknownPartitioning(partitions.len()),
                EmissionType::Incremental,
                Boundedness::Bounded,
            )),
            place: place.unwrap_or(wanted.len()),
            partitions,
        })
    }
}

#[async_trait]
impl TableProvider for NumberedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        match projection.contains(&self.line()) {
            true => Ok(Arc::new(self.numbered(session, projection).await?)),
            false => {
                let files = &self.files;
                files.scan(session, Some(projection), filters, limit).await
            }
        }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        self.files.supports_filters_pushdown(filters)
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = self.files.statistics()?;
        let line = ColumnStatistics::new_unknown();
        statistics.column_statistics.push(line);
        Some(statistics)
    }
}

/// Scans of single files, their rows counted.
#[derive(Debug)]
struct NumberedScan {
    partitions: Vec<Vec<Arc<dyn ExecutionPlan>>>,
    /// Where `_line` stands in the output.
    place: usize,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for NumberedScan {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.partitions.iter().map(Vec::len).sum();
        write!(f, "NumberedScan: files={files}")
    }
}

impl ExecutionPlan for NumberedScan {
    fn name(&self) -> &str {
        "NumberedScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> PlanResult<SendableRecordBatchStream> {
        let (schema, place) = (self.schema(), self.place);
        let scans = futures::stream::iter(self.partitions[partition].clone());
        let rows = scans.map(move |scan| {
            let schema = Arc::clone(&schema);
            let mut before = 0;
            let rows = scan.execute(0, Arc::clone(&context))?;
            Ok::<_, DataFusionError>(rows.map(move |batch| {
                let batch = batch?;
                let first = before + 1;
                before += batch.num_rows() as i64;
                let mut columns = batch.columns().to_vec();
                let lines = Int64Array::from_iter_values(first..=before);
                columns.insert(place, Arc::new(lines));
                Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
            }))
        });
        let rows = rows.try_flatten();
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
