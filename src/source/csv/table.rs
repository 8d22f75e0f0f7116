//! A DataFusion table over CSV files, with hive keys, `_file` and `_line`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::functions_aggregate::min_max::MinAccumulator;
use datafusion::logical_expr::{Accumulator as _, Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use super::ends::EndColumns;
use super::exact::{ExactScan, Output};
use super::rows::Rows;
use super::typed::{From, TypedScan};
use super::{CsvFile, CsvSpec, Fault, Header};
use crate::error::Result;
use crate::source::InputFile;
use crate::source::earliest::Earliest;
use crate::source::table::{constant_fields, line_field, partitioned_file};

/// A table over a fixed list of CSV files.
#[derive(Debug)]
pub(in crate::source) struct CsvTable {
    spec: Arc<CsvSpec>,
    /// Hive keys and `_file`.
    constants: Vec<Arc<Field>>,
    schema: SchemaRef,
    files: Arc<[CsvFile]>,
    /// Files of one header, which DataFusion can read together.
    groups: Vec<(Arc<Header>, FileGroup)>,
    format: Arc<dyn FileFormat>,
}

impl CsvTable {
    /// A table over these files, each with the header it has. Nothing is read.
    pub(in crate::source) fn new(
        spec: CsvSpec,
        files: Vec<(InputFile, Arc<Header>)>,
        keys: &[Field],
        format: Arc<dyn FileFormat>,
    ) -> Result<Self> {
        let own = Schema::new(spec.columns.clone());
        let constants = constant_fields(keys, &own);
        let mut fields = own.fields().to_vec();
        fields.extend(constants.iter().cloned());
        fields.push(Arc::new(line_field(&own)));
        let mut all = Vec::with_capacity(files.len());
        let mut groups: Vec<(Arc<Header>, FileGroup)> = vec![];
        for (input, header) in files {
            let file = partitioned_file(&input, keys)?;
            all.push(CsvFile {
                input,
                header: Arc::clone(&header),
                constants: file.partition_values.clone(),
                rejected: Arc::default(),
            });
            match groups.iter_mut().find(|(known, _)| *known == header) {
                Some((_, group)) => group.push(file),
                None => groups.push((header, FileGroup::new(vec![file]))),
            }
        }
        Ok(Self {
            spec: Arc::new(spec),
            constants,
            schema: Arc::new(Schema::new(fields)),
            files: all.into(),
            groups,
            format,
        })
    }

    fn output(&self, index: usize) -> Output {
        let columns = self.spec.columns.len();
        match index {
            index if index < columns => Output::Column(index),
            index if index < columns + self.constants.len() => Output::Constant(index - columns),
            _ => Output::Line,
        }
    }

    /// Is there more in a file than was looked into when it was opened?
    fn must_see_ends(&self, files: &FileGroup) -> bool {
        let seen = self.spec.seen_bytes;
        files.iter().any(|file| file.object_meta.size > seen)
    }

    /// What a fast scan of files with this header reads, and what becomes of it.
    fn fast_columns(
        &self,
        (header, files): &(Arc<Header>, FileGroup),
        output: &[Output],
    ) -> FastColumns {
        let mut projection = vec![];
        let mut from = vec![];
        let columns = header.names.len();
        for output in output {
            let input = projection.len();
            let (place, step) = match *output {
                Output::Column(column) => match header.places[column] {
                    None => (None, missing(Some(column))),
                    place => (place, From::Text { input, column }),
                },
                Output::Constant(index) => (Some(columns + index), From::Same { input }),
                Output::Line => (None, missing(None)),
            };
            from.push(step);
            projection.extend(place);
        }
        let file = columns + self.constants.len() - 1;
        let ends = self.must_see_ends(files).then(|| EndColumns {
            last: with_column(&mut projection, columns - 1),
            file: with_column(&mut projection, file),
        });
        FastColumns {
            projection,
            from,
            ends,
        }
    }

    /// DataFusion's reader over files of one header, its texts typed.
    async fn fast(
        &self,
        session: &dyn Session,
        group: &(Arc<Header>, FileGroup),
        output: &[Output],
        schema: &SchemaRef,
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let (header, files) = group;
        let columns = self.fast_columns(group, output);
        let text = |name: &String| Field::new(name, DataType::Utf8, true);
        let texts = Schema::new(header.names.iter().map(text).collect::<Vec<_>>());
        let table = TableSchema::builder(Arc::new(texts))
            .with_table_partition_cols(self.constants.clone())
            .build();
        let partitions = session.config().target_partitions();
        let source = self.format.file_source(table);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(files.clone().split_files(partitions))
            .with_projection_indices(Some(columns.projection))?
            .with_limit(limit)
            .build();
        let scan = self.format.create_physical_plan(session, config).await?;
        Ok(Arc::new(TypedScan::new(
            scan,
            &self.spec,
            &self.files,
            Arc::clone(schema),
            columns.from,
            columns.ends,
        )))
    }

    /// The first time in a file. Reads no further than to a row that is not after
    /// `time`.
    pub(in crate::source) fn earliest(
        &self,
        file: usize,
        column: &str,
        time: &ScalarValue,
    ) -> Result<Earliest> {
        let mut columns = self.spec.columns.iter();
        let place = columns.position(|it| it.name() == column);
        let (Some(file), Some(place)) = (self.files.get(file), place) else {
            return Ok(Earliest::Always);
        };
        if file.header.places[place].is_none() {
            return Ok(Earliest::Always);
        }
        let mut rows = Rows::open(&self.spec, file, &[place])?;
        let mut smallest = MinAccumulator::try_new(self.spec.columns[place].data_type())?;
        while let Some(batch) = rows.next_batch()? {
            let [(_, times)] = batch.columns.as_slice() else {
                return Ok(Earliest::Always);
            };
            if !batch.faults.is_empty() || times.null_count() > 0 {
                return Ok(Earliest::Always);
            }
            smallest.update_batch(&[Arc::clone(times)])?;
            let first = smallest.evaluate()?;
            if first <= *time {
                return Ok(Earliest::AtMost(first));
            }
        }
        Ok(Earliest::Exactly(smallest.evaluate()?))
    }

    /// How many rows have a fault; files that a query read as a whole are not
    /// read again.
    pub(in crate::source) fn rejected_rows(&self) -> Result<u64> {
        let columns: Vec<usize> = (0..self.spec.columns.len()).collect();
        let mut sum = 0;
        for file in self.files.iter() {
            sum += match file.rejected.get() {
                Some(rows) => *rows,
                None => {
                    let mut rows = Rows::open(&self.spec, file, &columns)?;
                    let mut rejected = 0;
                    while let Some(batch) = rows.next_batch()? {
                        rejected += batch.faulty_rows();
                    }
                    *file.rejected.get_or_init(|| rejected)
                }
            };
        }
        Ok(sum)
    }

    /// Calls `found` with every fault of the files, in their order.
    pub(in crate::source) fn faults(
        &self,
        mut found: impl FnMut(&InputFile, Vec<Fault>) -> Result<()>,
    ) -> Result<()> {
        let columns: Vec<usize> = (0..self.spec.columns.len()).collect();
        for file in self.files.iter() {
            let mut rows = Rows::open(&self.spec, file, &columns)?;
            while let Some(batch) = rows.next_batch()? {
                found(&file.input, batch.faults)?;
            }
        }
        Ok(())
    }
}

/// The columns of a fast scan: read as texts, and what they become.
struct FastColumns {
    projection: Vec<usize>,
    from: Vec<From>,
    ends: Option<EndColumns>,
}

fn missing(column: Option<usize>) -> From {
    From::Missing { column }
}

/// Where a projection has a column, which is added when it has not.
fn with_column(projection: &mut Vec<usize>, column: usize) -> usize {
    let found = projection.iter().position(|it| *it == column);
    found.unwrap_or_else(|| {
        projection.push(column);
        projection.len() - 1
    })
}

#[async_trait]
impl TableProvider for CsvTable {
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
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.unwrap_or(&all);
        let schema = Arc::new(self.schema.project(projection)?);
        let output: Vec<Output> = projection.iter().map(|it| self.output(*it)).collect();
        if self.spec.reject || output.contains(&Output::Line) {
            let partitions = session.config().target_partitions();
            let scan = ExactScan::new(&self.spec, &self.files, partitions, schema, output);
            return Ok(Arc::new(scan));
        }
        let mut scans = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            scans.push(self.fast(session, group, &output, &schema, limit).await?);
        }
        match scans.len() {
            1 => Ok(scans.swap_remove(0)),
            _ => UnionExec::try_new(scans),
        }
    }
}
