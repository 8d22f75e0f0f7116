//! Rows that are computed once and read by several plans.
//!
//! A plan may read them before they are there: it is given the rows when it is
//! executed. Of the table's columns only those are kept that somebody reads, and
//! when they are sorted, every reader is told so and need not sort again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as PlanResult, internal_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;

use crate::source::{FilesTable, upwards};

/// A table whose rows come later, and go when nobody reads them any more.
#[derive(Debug)]
pub(crate) struct KeptTable {
    /// Which of a run's tables it is.
    pub(crate) id: usize,
    schema: SchemaRef,
    rows: Mutex<Option<Arc<KeptRows>>>,
}

/// What is kept of a table.
#[derive(Debug)]
pub(crate) struct KeptRows {
    /// Which of the table's columns, in their order.
    pub(crate) columns: Vec<usize>,
    /// By which of them the rows are sorted: upwards, NULLs first.
    pub(crate) sorted_by: Option<usize>,
    /// Where they are.
    pub(crate) place: Place,
}

/// Where kept rows are.
#[derive(Debug)]
pub(crate) enum Place {
    /// In memory, counted.
    Memory {
        batches: Vec<RecordBatch>,
        _memory: MemoryReservation,
    },
    /// In a file that is removed with this value.
    File {
        table: Box<FilesTable>,
        _file: tempfile::NamedTempFile,
    },
}

impl KeptTable {
    pub(crate) fn new(id: usize, schema: SchemaRef) -> Self {
        Self {
            id,
            schema,
            rows: Mutex::default(),
        }
    }

    /// The columns there would be if all were kept.
    pub(crate) fn all_columns(&self) -> &SchemaRef {
        &self.schema
    }

    /// From now on these are its rows; none when nobody reads them any more.
    pub(crate) fn set(&self, rows: Option<KeptRows>) {
        *self.rows() = rows.map(Arc::new);
    }

    fn rows(&self) -> MutexGuard<'_, Option<Arc<KeptRows>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptRows {
    /// Where the wanted columns of the table are among those kept.
    fn places(&self, wanted: &[usize]) -> PlanResult<Vec<usize>> {
        let place = |column: &usize| self.columns.iter().position(|kept| kept == column);
        match wanted.iter().map(place).collect() {
            Some(places) => Ok(places),
            None => internal_err!("a column of shared rows was not kept"),
        }
    }
}

#[async_trait]
impl TableProvider for KeptTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let Some(rows) = self.rows().clone() else {
            return internal_err!("shared rows are read before they are there");
        };
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let places = rows.places(projection.unwrap_or(&all))?;
        match &rows.place {
            Place::File { table, .. } => table.scan(session, Some(&places), filters, limit).await,
            Place::Memory { batches, .. } => {
                let schema = Arc::new(self.schema.project(&rows.columns)?);
                let partitions = session.config().target_partitions();
                let order = rows.sorted_by.and_then(|column| upwards(column, &schema));
                from_memory(batches, schema, places, order, partitions)
            }
        }
    }
}

/// Neighbours stay together, so that each partition is sorted when the rows are.
fn from_memory(
    batches: &[RecordBatch],
    schema: Arc<Schema>,
    columns: Vec<usize>,
    order: Option<LexOrdering>,
    partitions: usize,
) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let size = batches.len().div_ceil(partitions.max(1)).max(1);
    let mut parts: Vec<Vec<RecordBatch>> = batches.chunks(size).map(<[_]>::to_vec).collect();
    if parts.is_empty() {
        parts.push(vec![]);
    }
    let mut rows = MemorySourceConfig::try_new(&parts, schema, Some(columns))?;
    if let Some(order) = order {
        rows = rows.try_with_sort_information(vec![order])?;
    }
    Ok(DataSourceExec::from_data_source(rows))
}
