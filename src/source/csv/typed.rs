//! The values of a fast scan: texts from DataFusion's reader become what their
//! columns are. When reading fails, the files are read again exactly, to say
//! which line and value it was.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::new_null_array;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as PlanResult, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;

use super::ends::{EndColumns, Ends};
use super::{CsvFile, CsvSpec, first_fault, values};
use crate::error::Error;

/// Where a column of the scan comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// A text of the input, read as this column of the table.
    Text { input: usize, column: usize },
    /// These files do not have this column of the table; others may.
    Missing { column: Option<usize> },
    /// As the input has it.
    Same { input: usize },
}

/// Types the texts that a fast scan reads.
#[derive(Debug)]
pub(super) struct TypedScan {
    input: Arc<dyn ExecutionPlan>,
    typing: Arc<Typing>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug)]
struct Typing {
    spec: Arc<CsvSpec>,
    /// All files of the source: the first fault is the same whichever is met first.
    files: Arc<[CsvFile]>,
    schema: SchemaRef,
    from: Vec<From>,
    /// Where to see whether a file was cut; none when that is known.
    ends: Option<EndColumns>,
}

impl TypedScan {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        spec: &Arc<CsvSpec>,
        files: &Arc<[CsvFile]>,
        schema: SchemaRef,
        from: Vec<From>,
        ends: Option<EndColumns>,
    ) -> Self {
        let typing = Typing {
            spec: Arc::clone(spec),
            files: Arc::clone(files),
            schema,
            from,
            ends,
        };
        Self::over(input, Arc::new(typing))
    }

    fn over(input: Arc<dyn ExecutionPlan>, typing: Arc<Typing>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&typing.schema)),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(
                input.output_partitioning().partition_count(),
            ),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self {
            input,
            typing,
            properties: Arc::new(properties),
        }
    }
}

impl Typing {
    fn typed(&self, batch: &RecordBatch) -> PlanResult<RecordBatch> {
        let rows = batch.num_rows();
        let mut columns = Vec::with_capacity(self.from.len());
        for (from, field) in self.from.iter().zip(self.schema.fields()) {
            columns.push(match from {
                From::Missing { .. } => new_null_array(field.data_type(), rows),
                From::Same { input } => Arc::clone(batch.column(*input)),
                From::Text { input, column } => {
                    let wanted = self.spec.columns[*column].data_type();
                    let texts = batch.column(*input);
                    let found = values::read(texts, wanted, &self.spec.null_text)?;
                    if !found.unreadable.is_empty() {
                        let name = self.spec.columns[*column].name();
                        let reason = values::reason(wanted);
                        return Err(Error::new(format!("column '{name}': a value {reason}")).into());
                    }
                    found.array
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    /// The fault behind an error; the error itself where none is found.
    fn explain(&self, error: DataFusionError) -> DataFusionError {
        let columns = self.from.iter().filter_map(|from| match from {
            From::Text { column, .. } => Some(*column),
            From::Missing { column } => *column,
            From::Same { .. } => None,
        });
        let columns: Vec<usize> = columns.collect();
        match first_fault(&self.spec, &self.files, &columns) {
            Ok(Some(fault)) | Err(fault) => fault.into(),
            Ok(None) => error,
        }
    }
}

impl DisplayAs for TypedScan {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.typing.schema.fields().iter();
        let names: Vec<&str> = names.map(|field| field.name().as_str()).collect();
        write!(f, "CsvValues: columns=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for TypedScan {
    fn name(&self) -> &str {
        "CsvValues"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Said not to, or the optimiser would sort the texts instead of the values.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    /// Handing the texts of a file to several threads would mix up its rows.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("values are read from one scan");
        };
        Ok(Arc::new(Self::over(input, Arc::clone(&self.typing))))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> PlanResult<SendableRecordBatchStream> {
        let typing = Arc::clone(&self.typing);
        let input = self.input.execute(partition, context)?;
        let ends = Ends::new(&typing.spec, typing.ends);
        let typed = futures::stream::unfold(Some((input, ends)), move |state| {
            let typing = Arc::clone(&typing);
            async move {
                let (mut input, mut ends) = state?;
                let batch = match input.next().await {
                    Some(batch) => batch.and_then(|batch| {
                        ends.see(&batch)?;
                        typing.typed(&batch)
                    }),
                    None => return Some((Err(typing.explain(ends.finish().err()?.into())), None)),
                };
                match batch {
                    Ok(batch) => Some((Ok(batch), Some((input, ends)))),
                    Err(error) => Some((Err(typing.explain(error)), None)),
                }
            }
        });
        let schema = Arc::clone(&self.typing.schema);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, typed)))
    }
}
