//! A DataFusion table over a fixed list of files.
//!
//! Unlike a listing table it never lists again: what was there when the source
//! was opened is what every plan over it reads. Hive keys and the name of the
//! file travel as partition values, which cost nothing unless selected.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result as PlanResult, ScalarValue, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::ObjectMeta;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_datasource::compute_all_files_statistics;
use futures::{StreamExt, TryStreamExt};

use super::{FILE_COLUMN, InputFile, LINE_COLUMN};
use crate::error::Result;

/// A table over a fixed list of files.
#[derive(Debug)]
pub struct FilesTable {
    schema: TableSchema,
    files: FileGroup,
    /// The object store that holds the files.
    within: ObjectStoreUrl,
    statistics: Option<Statistics>,
    format: Arc<dyn FileFormat>,
    order: Option<LexOrdering>,
}

/// How many footers are read at once.
const CONCURRENT_FOOTERS: usize = 16;

impl FilesTable {
    /// A table with the columns of the files, their hive keys and `_file`.
    /// Nothing is read.
    pub fn new(
        file_schema: SchemaRef,
        partitions: &[Field],
        files: &[InputFile],
        format: Arc<dyn FileFormat>,
    ) -> Result<Self> {
        let keys = constant_fields(partitions, &file_schema);
        let schema = TableSchema::builder(Arc::clone(&file_schema))
            .with_table_partition_cols(keys)
            .build();
        let partitioned = files
            .iter()
            .map(|file| partitioned_file(file, partitions))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            schema,
            files: FileGroup::new(partitioned),
            within: ObjectStoreUrl::local_filesystem(),
            statistics: None,
            format,
            order: None,
        })
    }

    /// A table over one file of an object store that the session knows.
    pub fn of_object(
        file_schema: SchemaRef,
        within: ObjectStoreUrl,
        meta: ObjectMeta,
        format: Arc<dyn FileFormat>,
    ) -> Self {
        let schema = TableSchema::builder(Arc::clone(&file_schema))
            .with_table_partition_cols(constant_fields(&[], &file_schema))
            .build();
        let name = ScalarValue::from(meta.location.as_ref());
        let file = PartitionedFile::new_from_meta(meta).with_partition_values(vec![name]);
        Self {
            schema,
            files: FileGroup::new(vec![file]),
            within,
            statistics: None,
            format,
            order: None,
        }
    }

    /// The same, every file of which is sorted by a column, upwards and NULLs first.
    pub(crate) fn sorted_by(self, column: usize) -> Self {
        Self {
            order: upwards(column, self.schema.file_schema()),
            ..self
        }
    }

    /// The same with row counts and ranges from the files' own footers, where
    /// they have them: the optimiser then knows what is big and what to skip.
    pub async fn with_statistics(self, session: &dyn Session) -> Result<Self> {
        let store = session.runtime_env().object_store(&self.within)?;
        let file_schema = self.schema.file_schema();
        let format = self.format.as_ref();
        let files: Vec<PartitionedFile> = futures::stream::iter(self.files.into_inner())
            .map(|file| {
                let store = &store;
                async move {
                    let schema = Arc::clone(file_schema);
                    let found = format
                        .infer_stats(session, store, schema, &file.object_meta)
                        .await?;
                    PlanResult::<_>::Ok(file.with_statistics(Arc::new(found)))
                }
            })
            .buffered(CONCURRENT_FOOTERS)
            .try_collect()
            .await
            .map_err(crate::error::Error::from)?;
        let (mut groups, statistics) = compute_all_files_statistics(
            vec![FileGroup::new(files)],
            Arc::clone(self.schema.table_schema()),
            true,
            false,
        )?;
        Ok(Self {
            files: groups.pop().unwrap_or_default(),
            statistics: Some(statistics),
            ..self
        })
    }

    /// The smallest value of a column in each file, where its footer has it and
    /// no row lacks one.
    pub(super) fn earliest(&self, column: &str) -> Vec<Option<ScalarValue>> {
        let Ok(index) = self.schema.file_schema().index_of(column) else {
            return vec![];
        };
        let of_file = |file: &PartitionedFile| {
            let statistics = file.statistics.as_ref()?;
            let found = statistics.column_statistics.get(index)?;
            let complete = found.null_count == Precision::Exact(0);
            found.min_value.get_value().filter(|_| complete).cloned()
        };
        self.files.files().iter().map(of_file).collect()
    }

    /// Its files, in their order.
    pub(super) fn files(&self) -> Vec<PartitionedFile> {
        self.files.files().to_vec()
    }

    /// A scan of some of its files.
    pub(super) async fn scan_files(
        &self,
        session: &dyn Session,
        files: Vec<PartitionedFile>,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let all = files.len() == self.files.len();
        let groups = FileGroup::new(files).split_files(session.config().target_partitions());
        let source = self.format.file_source(self.schema.clone());
        let config = FileScanConfigBuilder::new(self.within.clone(), source)
            .with_file_groups(groups)
            .with_output_ordering(self.order.iter().cloned().collect())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit);
        let config = match &self.statistics {
            Some(statistics) if all => config.with_statistics(statistics.clone()),
            _ => config,
        }
        .build();
        self.format.create_physical_plan(session, config).await
    }
}

/// The order by a column, upwards and NULLs first: that of keys in snapshots.
pub(crate) fn upwards(column: usize, schema: &Schema) -> Option<LexOrdering> {
    let name = schema.fields().get(column)?.name();
    let options = SortOptions {
        descending: false,
        nulls_first: true,
    };
    let column = Arc::new(Column::new(name, column));
    LexOrdering::new([PhysicalSortExpr::new(column, options)])
}

/// Hive keys and `_file` as columns behind the files' own.
pub(super) fn constant_fields(keys: &[Field], own: &Schema) -> Vec<Arc<Field>> {
    let file = Field::new(FILE_COLUMN, DataType::Utf8, false);
    let all = keys.iter().chain(std::iter::once(&file));
    all.map(|field| Arc::new(beside(field, own))).collect()
}

/// `_line` as a column behind the files' own.
pub(super) fn line_field(own: &Schema) -> Field {
    beside(&Field::new(LINE_COLUMN, DataType::Int64, false), own)
}

/// The files' own column wins; the other gets a name that nobody asks for.
fn beside(field: &Field, own: &Schema) -> Field {
    let mut name = field.name().clone();
    while own.column_with_name(&name).is_some() {
        name.push(' ');
    }
    field.clone().with_name(name)
}

/// A file for DataFusion, with its hive keys and its path.
pub(super) fn partitioned_file(file: &InputFile, partitions: &[Field]) -> Result<PartitionedFile> {
    let mut values = file
        .partitions
        .iter()
        .zip(partitions)
        .map(|((_, value), field)| ScalarValue::try_from_string(value.clone(), field.data_type()))
        .collect::<PlanResult<Vec<_>>>()?;
    values.push(ScalarValue::from(file.path.to_string_lossy().as_ref()));
    let meta = file.object_meta()?;
    Ok(PartitionedFile::new_from_meta(meta).with_partition_values(values))
}

#[async_trait]
impl TableProvider for FilesTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        self.scan_files(session, self.files(), projection, limit)
            .await
    }

    /// The optimiser hands filters on to the files by itself; they stay above
    /// the scan as well.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        self.statistics.clone()
    }
}
