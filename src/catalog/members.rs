//! What makes a query a segment: its key, its label, who is left over.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::provider_as_source;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, lit, when};
use datafusion::prelude::{coalesce, ident};

use super::binder::{Binder, as_source};
use super::inputs::World;
use super::{Definition, Evaluation, SharedTables, personal, split_label};
use crate::error::{Error, Result, suggest};
use crate::session::Moment;
use crate::source::{FilesTable, InputFile};
use crate::sql_type::sql_type_name;
use crate::statement::{Body, Kind};
use crate::store::SnapshotRecord;

/// The default name of a segmentation's label column.
pub const LABEL_COLUMN: &str = "label";

/// A segment ready to be materialised.
#[derive(Debug, Clone)]
pub struct MembersPlan {
    /// Its rows in the order of the key, structs taken apart.
    pub plan: LogicalPlan,
    /// The key column.
    pub key: String,
    /// The label column of a segmentation.
    pub label: Option<String>,
}

impl Binder<'_> {
    /// The plan that a snapshot is made of.
    pub fn members(&self, definition: &Definition) -> Result<MembersPlan> {
        let source = self.source_of(definition)?;
        let key = self.key(definition, &source.schema())?;
        let label = self.label_column(definition, &source.schema(), &key)?;
        let first = |name: &str| name == key || Some(name) == label.as_deref();
        let personal = self.personal_columns(definition)?;
        let mut columns = vec![ident(key.as_str())];
        columns.extend(label.as_deref().map(ident));
        columns.extend(flat_columns(&source.schema(), |name| {
            first(name) || personal.contains(name)
        }));
        let plan = LogicalPlanBuilder::scan(definition.name.as_str(), source, None)?
            .project(columns)?
            .sort([ident(key.as_str()).sort(true, true)])?
            .build()?;
        Ok(MembersPlan { plan, key, label })
    }

    /// The entity that a segment is about, if it has one.
    pub fn entity(&self, definition: &Definition) -> Option<String> {
        let options = &definition.create.options;
        if let Some(entity) = options.text("entity") {
            return Some(entity.to_owned());
        }
        let key = self.key_of(definition).ok()?;
        let mut entities = self.world.catalog.of_kind(Kind::Entity);
        let fitting = entities.find(|entity| entity_key(entity) == key);
        fitting.map(|entity| entity.name.clone())
    }

    /// The key column of a definition.
    pub fn key_of(&self, definition: &Definition) -> Result<String> {
        self.key(definition, &self.source_of(definition)?.schema())
    }

    /// Columns of a definition that stay out of its snapshots. Looked for in a
    /// plan without shared rows, whose origin cannot be seen any more.
    fn personal_columns(&self, definition: &Definition) -> Result<BTreeSet<String>> {
        let shared = SharedTables::new();
        let whole = Binder::new(self.world, self.inputs, &shared)?;
        Ok(personal::columns(
            &whole.definition(definition)?,
            self.inputs,
        ))
    }

    /// The key column of a segment.
    pub(super) fn key(&self, definition: &Definition, schema: &Schema) -> Result<String> {
        let key = self.find_key(definition, schema)?;
        let data_type = schema.field_with_name(&key)?.data_type();
        let is_key = data_type.is_integer()
            || matches!(
                data_type,
                DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Utf8View
                    | DataType::FixedSizeBinary(16)
            );
        match is_key {
            true => Ok(key),
            false => Err(definition
                .error(format!(
                    "the key of {} '{}' is {}",
                    definition.kind(),
                    definition.name,
                    sql_type_name(data_type)
                ))
                .hint(format!(
                    "keys are whole numbers or text: CAST({key} AS BIGINT) or AS VARCHAR"
                ))),
        }
    }

    fn find_key(&self, definition: &Definition, schema: &Schema) -> Result<String> {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let options = &definition.create.options;
        let among = |wanted: &str| match names.contains(&wanted) {
            true => Ok(wanted.to_owned()),
            false => Err(definition
                .error(format!(
                    "{} '{}' does not return its key '{wanted}'",
                    definition.kind(),
                    definition.name
                ))
                .hint_if(suggest(wanted, names.iter().copied()))
                .hint(format!("it returns {}", names.join(", ")))),
        };
        if let Some(entity) = options.text("entity") {
            let entity = self.world.catalog.get(entity, &[Kind::Entity])?;
            return among(&entity_key(entity));
        }
        if let Some(key) = options.text("key") {
            return among(key);
        }
        let keys: Vec<String> = self
            .world
            .catalog
            .of_kind(Kind::Entity)
            .map(|entity| entity_key(entity))
            .filter(|key| names.contains(&key.as_str()))
            .collect();
        match (keys.as_slice(), names.as_slice()) {
            ([key], _) => Ok(key.clone()),
            ([], [only]) => Ok((*only).to_owned()),
            (keys, [first, ..]) if keys.iter().any(|key| key == first) => Ok((*first).to_owned()),
            _ => Err(definition
                .error(format!(
                    "which column of {} '{}' is its key?",
                    definition.kind(),
                    definition.name
                ))
                .hint(format!(
                    "it returns {}; add WITH (key = '…') or CREATE ENTITY … KEY …",
                    names.join(", ")
                ))),
        }
    }

    /// The label column of a segmentation.
    fn label_column(
        &self,
        definition: &Definition,
        schema: &Schema,
        key: &str,
    ) -> Result<Option<String>> {
        if definition.kind() != Kind::Segmentation {
            return Ok(None);
        }
        let others: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| *name != key)
            .collect();
        let wanted = definition.create.options.text("label");
        match (wanted, others.as_slice()) {
            (Some(label), others) if others.contains(&label) => Ok(Some(label.to_owned())),
            (None, [only]) => Ok(Some((*only).to_owned())),
            (None, others) if others.contains(&LABEL_COLUMN) => Ok(Some(LABEL_COLUMN.to_owned())),
            _ => Err(definition
                .error(format!(
                    "which column of segmentation '{}' is its label?",
                    definition.name
                ))
                .hint(format!(
                    "beside the key it returns {}; add WITH (label = '…')",
                    others.join(", ")
                ))),
        }
    }
}

/// The key column of an entity, as written.
pub(super) fn entity_key(entity: &Definition) -> String {
    match &entity.create.body {
        Body::Table { key, .. } => match key.quote_style {
            Some(_) => key.value.clone(),
            None => key.value.to_lowercase(),
        },
        _ => String::new(),
    }
}

/// A column each; a struct `score` becomes `score.r`, `score.f`, ….
fn flat_columns(schema: &Schema, left_out: impl Fn(&str) -> bool) -> Vec<Expr> {
    let mut columns = vec![];
    for field in schema
        .fields()
        .iter()
        .filter(|field| !left_out(field.name()))
    {
        flatten(
            field,
            ident(field.name().as_str()),
            field.name(),
            &mut columns,
        );
    }
    columns
}

fn flatten(field: &Field, value: Expr, name: &str, columns: &mut Vec<Expr>) {
    match field.data_type() {
        DataType::Struct(parts) => {
            for part in parts {
                let name = format!("{name}.{}", part.name());
                flatten(
                    part,
                    value.clone().field(part.name().as_str()),
                    &name,
                    columns,
                );
            }
        }
        _ => columns.push(value.alias(name)),
    }
}

/// Gives members of the entity whom the query leaves out the label `otherwise`.
pub(super) fn with_otherwise(
    binder: &Binder<'_>,
    definition: &Definition,
    plan: LogicalPlan,
) -> Result<LogicalPlan> {
    let options = &definition.create.options;
    let Some(otherwise) = options.text("otherwise") else {
        return Ok(plan);
    };
    let schema = Arc::clone(plan.schema().inner());
    let key = binder.find_key(definition, &schema)?;
    let label = binder.label_column(definition, &schema, &key)?;
    let named = options.text("entity");
    let mut entities = binder.world.catalog.of_kind(Kind::Entity);
    let entity = entities
        .find(|entity| named.map_or(entity_key(entity) == key, |name| entity.name == name))
        .ok_or_else(|| {
            definition
                .error("'otherwise' needs an entity that lists everyone")
                .hint(format!("CREATE ENTITY … FROM … KEY {key}"))
        })?;
    let everyone = LogicalPlanBuilder::from(binder.definition(entity)?)
        .project([ident(entity_key(entity)).alias("key")])?
        .alias("everyone")?
        .build()?;
    let column = |name: &str| Expr::Column(datafusion::common::Column::new(Some("found"), name));
    let everyone_key = || Expr::Column(datafusion::common::Column::new(Some("everyone"), "key"));
    let columns = schema.fields().iter().map(|field| {
        let name = field.name().as_str();
        let value = if name == key {
            coalesce(vec![column(name), everyone_key()])
        } else if Some(name) == label.as_deref() {
            when(column(&key).is_null(), lit(otherwise))
                .otherwise(column(name))
                .unwrap_or_else(|_| column(name))
        } else {
            column(name)
        };
        value.alias(name)
    });
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan)
        .alias("found")?
        .join_on(everyone, JoinType::Full, [column(&key).eq(everyone_key())])?
        .project(columns)?
        .build()?)
}

/// `"rfm:champions"`: the rows of a segmentation with one label.
pub(super) fn label(
    binder: &Binder<'_>,
    definition: &Definition,
    source: Arc<dyn TableSource>,
    label: &str,
) -> Result<Arc<dyn TableSource>> {
    if definition.kind() != Kind::Segmentation {
        return Err(Error::new(format!(
            "'{}' is a {} and has no labels such as '{label}'",
            definition.name,
            definition.kind()
        )));
    }
    let labels = definition.labels();
    if !labels.is_empty() && !labels.contains(&label) {
        return Err(Error::new(format!(
            "segmentation '{}' has no label '{label}'",
            definition.name
        ))
        .hint_if(suggest(label, labels.iter().copied()))
        .hint(format!("its labels are {}", labels.join(", "))));
    }
    let schema = source.schema();
    let key = binder.key(definition, &schema)?;
    let column = binder.label_column(definition, &schema, &key)?;
    let column = column.unwrap_or_else(|| LABEL_COLUMN.to_owned());
    let plan = LogicalPlanBuilder::scan(definition.name.as_str(), source, None)?
        .filter(ident(column).eq(lit(label)))?
        .build()?;
    Ok(as_source(plan, None))
}

/// `members('name' [, as_of])`: the snapshot of the date where there is one,
/// else the definition evaluated at it.
pub(super) fn function(binder: &Binder<'_>, args: &[Expr]) -> Result<Arc<dyn TableSource>> {
    let usage = || {
        Error::new(
            "members takes the name of a segment in quotes and, if wanted, a date: members('vip', DATE '2026-01-31')",
        )
    };
    let (name, moment) = match args {
        [name] => (name, binder.evaluation.moment),
        [name, when] => (name, moment_of(when, &binder.evaluation.moment)?),
        _ => return Err(usage()),
    };
    let Expr::Literal(name, _) = name else {
        return Err(usage());
    };
    let Some(Some(name)) = name.try_as_str() else {
        return Err(usage());
    };
    let kinds = [Kind::Segment, Kind::Segmentation];
    let definition = binder.world.catalog.get(name, &kinds)?;
    let label = split_label(name).1;
    let snapshot = (definition.name.clone(), moment.date());
    let source = match binder.inputs.snapshots.get(&snapshot) {
        Some(record) if moment.is_whole_day() => from_snapshot(binder, record)?,
        _ if moment == binder.evaluation.moment => binder.source_of(definition)?,
        _ => {
            let evaluation = Evaluation {
                moment,
                variables: binder.evaluation.variables.clone(),
            };
            let shared = SharedTables::new();
            let world = World {
                evaluation: &evaluation,
                ..binder.world
            };
            let other = Binder::new(world, binder.inputs, &shared)?;
            other.source_of(definition)?
        }
    };
    match label {
        Some(label) => self::label(binder, definition, source, label),
        None => Ok(source),
    }
}

fn moment_of(when: &Expr, default: &Moment) -> Result<Moment> {
    let wrong = || {
        Error::new(format!("'{when}' is no date"))
            .hint("the second argument of members is a constant date: DATE '2026-01-31'")
    };
    let Expr::Literal(value, _) = when else {
        return Err(wrong());
    };
    let zone = default.zone();
    match value {
        ScalarValue::Date32(Some(days)) => {
            let date = NaiveDate::default() + chrono::Duration::days((*days).into());
            Moment::end_of(date, zone)
        }
        value if value.data_type().is_temporal() => {
            let text = value.cast_to(&DataType::Utf8)?.to_string();
            Moment::parse(
                &text,
                zone,
                chrono::DateTime::from_timestamp_nanos(default.nanos()),
            )
        }
        value => match value.try_as_str() {
            Some(Some(text)) => {
                let now = chrono::DateTime::from_timestamp_nanos(default.nanos());
                Moment::parse(text, zone, now)
            }
            _ => Err(wrong()),
        },
    }
}

/// The rows of a snapshot's file.
pub(super) fn from_snapshot(
    binder: &Binder<'_>,
    record: &SnapshotRecord,
) -> Result<Arc<dyn TableSource>> {
    let table = snapshot_table(record, &binder.world.store.file(record)?)?;
    let columns = record
        .columns
        .iter()
        .map(|column| ident(column.name.as_str()));
    let source = provider_as_source(Arc::new(table));
    let plan = LogicalPlanBuilder::scan(scan_name(record), source, None)?
        .project(columns)?
        .build()?;
    Ok(as_source(plan, None))
}

/// The optimiser takes scans of one name for the same, whatever they read: two
/// dates of a segment in one query need two names.
pub(super) fn scan_name(record: &SnapshotRecord) -> String {
    format!("{}@{}", record.segment, record.as_of)
}

pub(super) fn snapshot_table(
    record: &SnapshotRecord,
    path: &std::path::Path,
) -> Result<FilesTable> {
    let fields = record
        .columns
        .iter()
        .map(|column| {
            let data_type: DataType = column.data_type.parse()?;
            Ok(Field::new(&column.name, data_type, true))
        })
        .collect::<Result<Vec<_>>>()?;
    let file = InputFile::at(path)?;
    FilesTable::new(
        Arc::new(Schema::new(fields)),
        &[],
        &[file],
        Arc::new(ParquetFormat::default()),
    )
}
