//! A scan with our own reader: knows the line of each row, and leaves out rows
//! with a fault where the source says so.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, new_null_array};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use super::rows::{Batch, Rows};
use super::{CsvFile, CsvSpec, first_fault};
use crate::error::Result;

/// A column of the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A column of the files, by its index in the table.
    Column(usize),
    /// A hive key or the path, by its index among them.
    Constant(usize),
    /// The line.
    Line,
}

/// Reads CSV files exactly, each partition some of them one after the other.
#[derive(Debug)]
pub(super) struct ExactScan {
    reading: Arc<Reading>,
    partitions: Vec<Arc<[CsvFile]>>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug)]
struct Reading {
    spec: Arc<CsvSpec>,
    files: Arc<[CsvFile]>,
    schema: SchemaRef,
    output: Vec<Output>,
    /// The columns that are read, so that their faults are found.
    columns: Vec<usize>,
}

impl ExactScan {
    pub(super) fn new(
        spec: &Arc<CsvSpec>,
        files: &Arc<[CsvFile]>,
        partitions: usize,
        schema: SchemaRef,
        output: Vec<Output>,
    ) -> Self {
        let shown = output.iter().filter_map(|it| match it {
            Output::Column(index) => Some(*index),
            _ => None,
        });
        // Which rows are left out must not depend on what a query reads.
        let columns = match spec.reject {
            true => (0..spec.columns.len()).collect(),
            false => shown.collect(),
        };
        let size = files.len().div_ceil(partitions.max(1)).max(1);
        let partitions: Vec<Arc<[CsvFile]>> = files.chunks(size).map(Arc::from).collect();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let reading = Reading {
            spec: Arc::clone(spec),
            files: Arc::clone(files),
            schema,
            output,
            columns,
        };
        Self {
            reading: Arc::new(reading),
            partitions,
            properties: Arc::new(properties),
        }
    }
}

impl Reading {
    /// The rows of a file.
    fn file(self: Arc<Self>, file: CsvFile) -> impl Iterator<Item = PlanResult<RecordBatch>> {
        let mut rows = None;
        let mut rejected = 0;
        let mut next = move || -> Result<Option<RecordBatch>> {
            if rows.is_none() {
                rows = Some(Rows::open(&self.spec, &file, &self.columns)?);
            }
            let batch = rows.as_mut().map(Rows::next_batch).transpose()?.flatten();
            let Some(batch) = batch else {
                if self.spec.reject {
                    let _ = file.rejected.set(rejected);
                }
                return Ok(None);
            };
            rejected += batch.faulty_rows();
            self.record_batch(&file, batch).map(Some)
        };
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let batch = next().transpose()?;
            failed = batch.is_err();
            Some(batch.map_err(Into::into))
        })
    }

    fn record_batch(&self, file: &CsvFile, batch: Batch) -> Result<RecordBatch> {
        if !self.spec.reject
            && let Some(fault) = batch.faults.first()
        {
            // Another file may have one before; which is met first is chance.
            let first = first_fault(&self.spec, &self.files, &self.columns)?;
            return Err(first.unwrap_or_else(|| fault.error(&file.input.path)));
        }
        let rows = batch.lines.len();
        let array = |output: &Output, data_type: &_| -> Result<ArrayRef> {
            Ok(match output {
                Output::Column(index) => {
                    let found = batch.columns.iter().find(|(column, _)| column == index);
                    found.map_or_else(|| new_null_array(data_type, rows), |it| Arc::clone(&it.1))
                }
                Output::Constant(index) => file.constants[*index].to_array_of_size(rows)?,
                Output::Line => {
                    let lines = batch.lines.iter().map(|line| *line as i64);
                    Arc::new(lines.collect::<Int64Array>())
                }
            })
        };
        let columns = self.output.iter().zip(self.schema.fields());
        let columns = columns
            .map(|(output, field)| array(output, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let all = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        match &batch.good {
            Some(good) => Ok(filter_record_batch(
                &all,
                &BooleanArray::from(good.clone()),
            )?),
            None => Ok(all),
        }
    }
}

impl DisplayAs for ExactScan {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.partitions.iter().map(|files| files.len()).sum();
        let names = self.reading.schema.fields().iter();
        let names: Vec<&str> = names.map(|field| field.name().as_str()).collect();
        write!(
            f,
            "ExactCsvScan: files={files}, columns=[{}]",
            names.join(", ")
        )
    }
}

impl ExecutionPlan for ExactScan {
    fn name(&self) -> &str {
        "ExactCsvScan"
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
        _context: Arc<TaskContext>,
    ) -> PlanResult<SendableRecordBatchStream> {
        let files = Arc::clone(&self.partitions[partition]);
        let reading = Arc::clone(&self.reading);
        let batches =
            (0..files.len()).flat_map(move |index| Arc::clone(&reading).file(files[index].clone()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.reading.schema),
            futures::stream::iter(batches),
        )))
    }
}
