//! What an operator looks like that keeps rows where they are and appends columns to them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, Statistics};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, PlanProperties};

/// The columns of the input, and one for each expression.
pub(super) fn with_columns(input: &Schema, exprs: &[Arc<dyn WindowExpr>]) -> Result<SchemaRef> {
    let mut fields = input.fields().to_vec();
    for expr in exprs {
        fields.push(expr.field()?);
    }
    let schema = Schema::new_with_metadata(fields, input.metadata().clone());
    Ok(Arc::new(schema))
}

/// The properties of an operator that keeps rows where they are and appends columns.
pub(super) fn appended_properties(
    input: &Arc<dyn ExecutionPlan>,
    output: &SchemaRef,
) -> Result<PlanProperties> {
    let equivalences = EquivalenceProperties::new(Arc::clone(output))
        .extend(input.equivalence_properties().clone())?;
    Ok(PlanProperties::new(
        equivalences,
        input.output_partitioning().clone(),
        EmissionType::Final,
        input.boundedness(),
    ))
}

/// The statistics of the input, for as many columns more as the output has.
pub(super) fn appended_statistics(input: &Statistics, output: &Schema) -> Arc<Statistics> {
    let mut statistics = input.clone();
    let unknown = ColumnStatistics::new_unknown();
    let columns = output.fields().len();
    statistics.column_statistics.resize(columns, unknown);
    statistics.total_byte_size = Precision::Absent;
    Arc::new(statistics)
}
