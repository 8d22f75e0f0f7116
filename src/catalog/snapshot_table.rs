//! The members of a snapshot, and the rows of a frozen view, as a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::error::Result;
use crate::source::FilesTable;
use crate::store::{Column, FrozenRecord, SnapshotRecord, Store, StoredFile};

/// A snapshot as a table with the columns its record names.
///
/// Planning looks nothing up: which file holds the members, only their reading finds
/// out, and only of the snapshots that are read.
#[derive(Debug)]
pub struct SnapshotTable {
    schema: SchemaRef,
    members: Members,
}

#[derive(Debug)]
enum Members {
    /// To be found in the store.
    Of(Arc<Store>, Box<SnapshotRecord>),
    /// The same of a frozen view.
    Frozen(Arc<Store>, Box<FrozenRecord>),
    /// In this file.
    In(StoredFile),
}

impl SnapshotTable {
    /// A snapshot of a store.
    pub fn of(store: &Arc<Store>, record: &SnapshotRecord) -> Result<Self> {
        let members = Members::Of(Arc::clone(store), Box::new(record.clone()));
        Self::new(&record.columns, members)
    }

    /// The kept rows of a frozen view.
    pub fn frozen(store: &Arc<Store>, record: &FrozenRecord) -> Result<Self> {
        let members = Members::Frozen(Arc::clone(store), Box::new(record.clone()));
        Self::new(&record.columns, members)
    }

    /// A snapshot whose file is known.
    pub fn within(file: StoredFile, record: &SnapshotRecord) -> Result<Self> {
        Self::new(&record.columns, Members::In(file))
    }

    fn new(columns: &[Column], members: Members) -> Result<Self> {
        let fields = columns.iter().map(|column| {
            let data_type: DataType = column.data_type.parse()?;
            Ok(Field::new(&column.name, data_type, true))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?));
        Ok(Self { schema, members })
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
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
        let StoredFile { within, meta } = match &self.members {
            Members::Of(store, record) => store.file(record).await?,
            Members::Frozen(store, record) => store.frozen_file(record).await?,
            Members::In(file) => file.clone(),
        };
        let schema = Arc::clone(&self.schema);
        let format = Arc::new(ParquetFormat::default());
        let table = FilesTable::of_object(schema, within, meta, format);
        // Without a projection the file's hidden columns would come along.
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        table.scan(session, Some(projection), filters, limit).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
