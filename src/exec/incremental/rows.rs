//! What an aggregate reads: row-wise operators over a scan of files.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_expr::utils::{conjunction, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;

use super::expression::{Limit, Text};
use crate::source::InputFile;

/// The rows below an aggregate.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) scan: FileScanConfig,
}

/// A file that is read.
#[derive(Debug, Clone)]
pub(crate) struct ScannedFile {
    /// What it is known by.
    pub(crate) file: InputFile,
    /// Its rows.
    pub(crate) rows: u64,
    /// Are all its rows within the limits that stand in the plan?
    pub(crate) is_whole: bool,
    pub(super) scanned: PartitionedFile,
}

impl Rows {
    /// Recognises the operators and adds what they do to the text.
    pub(super) fn new(plan: &Arc<dyn ExecutionPlan>, text: &mut Text) -> Option<Self> {
        let (scan, _) = describe(plan, text)?;
        Some(Self {
            plan: Arc::clone(plan),
            scan,
        })
    }

    /// The files of the scan, each once; `None` if one has no identity.
    pub(super) fn files(&self, text: &Text) -> Option<Vec<ScannedFile>> {
        let mut seen = HashSet::new();
        let groups = self.scan.file_groups.iter().flat_map(|group| group.files());
        // A large file may be split among partitions.
        let files = groups.filter(|it| seen.insert(it.object_meta.location.clone()));
        files.map(|it| scanned(it, &text.limits)).collect()
    }
}

/// The scan below, and of each column which one of the table it is.
fn describe(
    plan: &Arc<dyn ExecutionPlan>,
    text: &mut Text,
) -> Option<(FileScanConfig, Vec<Option<usize>>)> {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        return describe_scan(source, text);
    }
    if plan.fetch().is_some() {
        return None;
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let (scan, origins) = describe(filter.input(), text)?;
        text.add("filter");
        text.condition(filter.predicate(), &origins)?;
        text.add(&format!("{:?}", filter.projection().as_deref()));
        return match filter.projection() {
            None => Some((scan, origins)),
            Some(kept) => {
                let kept = kept.iter().map(|place| origins.get(*place).copied());
                Some((scan, kept.collect::<Option<_>>()?))
            }
        };
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let (scan, origins) = describe(projection.input(), text)?;
        text.add("projection");
        let origins = project(projection.expr(), &origins, text)?;
        return Some((scan, origins));
    }
    let passes = match plan.downcast_ref::<RepartitionExec>() {
        Some(repartition) => !repartition.preserve_order(),
        None => plan.is::<CoalescePartitionsExec>() || plan.is::<CooperativeExec>(),
    };
    match (passes, plan.children().as_slice()) {
        (true, [input]) => describe(input, text),
        _ => None,
    }
}

fn project(
    expressions: &[ProjectionExpr],
    origins: &[Option<usize>],
    text: &mut Text,
) -> Option<Vec<Option<usize>>> {
    text.add(&expressions.len().to_string());
    let mut projected = vec![];
    for projection in expressions {
        text.expression(&projection.expr)?;
        let column = projection.expr.downcast_ref::<Column>();
        projected.push(column.and_then(|it| *origins.get(it.index())?));
    }
    Some(projected)
}

fn describe_scan(
    source: &DataSourceExec,
    text: &mut Text,
) -> Option<(FileScanConfig, Vec<Option<usize>>)> {
    let config = source.data_source().downcast_ref::<FileScanConfig>()?;
    let parquet = config.file_source.downcast_ref::<ParquetSource>()?;
    let is_plain = config.limit.is_none()
        && config.output_partitioning.is_none()
        && config.output_ordering.is_empty()
        && config.expr_adapter_factory.is_none();
    if !is_plain {
        return None;
    }
    let table = config.file_source.table_schema().table_schema();
    let mut read = parquet_text(parquet, table, text)?;
    let origins: Vec<Option<usize>> = (0..table.fields().len()).map(Some).collect();
    let origins = match config.file_source.projection() {
        None => origins,
        Some(projection) => {
            let expressions: Vec<ProjectionExpr> = projection.iter().cloned().collect();
            read.extend(projection.column_indices());
            project(&expressions, &origins, text)?
        }
    };
    describe_columns(&read, table, text);
    Some((config.clone(), origins))
}

/// Options and condition of a scan; gives the columns that the condition reads.
fn parquet_text(
    parquet: &ParquetSource,
    table: &Schema,
    text: &mut Text,
) -> Option<HashSet<usize>> {
    text.add("parquet");
    text.add(&format!("{:?}", parquet.table_parquet_options().global));
    let origins: Vec<Option<usize>> = (0..table.fields().len()).map(Some).collect();
    let mut read = HashSet::new();
    for condition in constant_conditions(parquet) {
        read.extend(
            datafusion::physical_expr::utils::collect_columns(&condition)
                .iter()
                .map(Column::index),
        );
        text.condition(&condition, &origins)?;
    }
    Some(read)
}

/// The columns read, by name and type; others come and go without harm.
fn describe_columns(read: &HashSet<usize>, table: &Schema, text: &mut Text) {
    let mut read: Vec<usize> = read.iter().copied().collect();
    read.sort_unstable();
    for place in read {
        if let Some(field) = table.fields().get(place) {
            text.add(&format!("{place} {} {:?}", field.name(), field.data_type()));
        }
    }
}

/// Conditions that do not change while the query runs: what other operators find
/// out meanwhile says nothing about the rows of a file.
pub(super) fn constant_conditions(parquet: &ParquetSource) -> Vec<Arc<dyn PhysicalExpr>> {
    let all = parquet.filter();
    let all = all.iter().flat_map(split_conjunction);
    let constant = all.filter(|it| !it.is::<DynamicFilterPhysicalExpr>());
    constant.cloned().collect()
}

/// The source without conditions that change; `None` if it has none of them.
pub(super) fn without_dynamic(parquet: &ParquetSource) -> Option<ParquetSource> {
    let all = parquet
        .filter()
        .map_or(0, |it| split_conjunction(&it).len());
    let constant = constant_conditions(parquet);
    (constant.len() < all).then(|| parquet.with_predicate(conjunction(constant)))
}

fn scanned(file: &PartitionedFile, limits: &[Limit]) -> Option<ScannedFile> {
    // The table's last column is the path.
    let Some(ScalarValue::Utf8(Some(path))) = file.partition_values.last() else {
        return None;
    };
    let meta = &file.object_meta;
    let rows = file.statistics.as_ref().map(|it| it.num_rows);
    let rows = match rows {
        Some(Precision::Exact(rows)) => Some(rows as u64),
        _ => None,
    };
    let mut scanned = file.clone();
    scanned.range = None;
    Some(ScannedFile {
        file: InputFile {
            path: PathBuf::from(path),
            size: meta.size,
            modified: meta.last_modified.timestamp_nanos_opt()?,
            partitions: vec![],
        },
        is_whole: rows.is_some() && limits.iter().all(|it| is_within(file, it)),
        rows: rows.unwrap_or_default(),
        scanned,
    })
}

/// Is the largest value of a column in a file known to be within the limit?
fn is_within(file: &PartitionedFile, limit: &Limit) -> bool {
    let statistics = file.statistics.as_ref();
    let column = statistics.and_then(|it| it.column_statistics.get(limit.column));
    let Some(Precision::Exact(largest)) = column.map(|it| &it.max_value) else {
        return false;
    };
    // Of another type it compares with nothing.
    match largest.partial_cmp(&limit.value) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => limit.inclusive,
        _ => false,
    }
}
