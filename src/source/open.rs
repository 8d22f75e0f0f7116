//! Opening a source: list the files, settle the schema, make the table.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::functions::expr_fn::btrim;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, lit, when};
use datafusion::prelude::ident;

use super::agree::{common_encoding, csv_columns, file_columns};
use super::exact_decimal::exact_decimal;
use super::format::{CsvShape, reader};
use super::table::FilesTable;
use super::{InputFile, SourceFormat, SourceOptions, columns, detect, files};
use crate::error::{Error, Result, suggest};

/// The hidden column with the file a row came from.
pub const FILE_COLUMN: &str = "_file";

/// A source whose files and columns are settled.
#[derive(Debug, Clone)]
pub struct OpenSource {
    /// Its files, sorted by path.
    pub files: Vec<InputFile>,
    /// Format of all of them.
    pub format: SourceFormat,
    /// Its columns, without the hidden ones.
    pub schema: SchemaRef,
    table: Arc<FilesTable>,
    /// How each column is made from the files' columns.
    columns: Vec<Expr>,
}

impl OpenSource {
    /// Lists and looks into the files of a location; relative paths start at
    /// `base`. Fails when there is none, when they cannot be read, and when
    /// they disagree.
    pub async fn open(
        location: &str,
        base: &Path,
        options: &SourceOptions,
        session: &dyn Session,
    ) -> Result<Self> {
        let files = files::list(location, base)?;
        let encoding = common_encoding(&files, options)?;
        let format = encoding.format.unwrap_or(SourceFormat::Csv);
        let first = files
            .first()
            .map(|file| file.path.clone())
            .unwrap_or_default();
        let shape = CsvShape::new(options, &encoding, &first);
        let reader = reader(format, &encoding, shape);
        let mut given = match &options.columns {
            Some(text) => columns::parse(text)?,
            None => vec![],
        };
        if format == SourceFormat::Csv {
            columns::add_pinned(&mut given, &options.pinned);
        }
        let found = match format {
            SourceFormat::Csv => csv_columns(&files, &encoding, shape, options, &given)?,
            _ => file_columns(&files, reader.as_ref(), session).await?,
        };
        let layout = Layout::new(found, &given, options, format)?;
        let partitions = partition_fields(&files)?;
        let table = FilesTable::new(
            Arc::new(Schema::new(layout.read)),
            &partitions,
            &files,
            reader,
        )?
        .with_statistics(session)
        .await?;
        let mut columns = layout.columns;
        columns.extend(partitions.iter().map(|field| ident(field.name().as_str())));
        let mut fields = layout.fields;
        fields.extend(partitions);
        let schema = Arc::new(Schema::new(fields));
        check_named(options, &schema)?;
        Ok(Self {
            files,
            format,
            schema,
            table: Arc::new(table),
            columns,
        })
    }

    /// Its columns without those that come from the names of folders.
    pub fn file_schema(&self) -> SchemaRef {
        let folders = self.files.first().map_or(0, |file| file.partitions.len());
        let own = self.schema.fields().len() - folders;
        Arc::new(Schema::new(self.schema.fields()[..own].to_vec()))
    }

    /// Are these still the files, unchanged?
    pub fn is_current(&self, location: &str, base: &Path) -> bool {
        files::list(location, base).is_ok_and(|files| files == self.files)
    }

    /// A plan that reads it, with the column `_file` last when wanted.
    pub fn plan(&self, name: &str, with_file: bool) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::clone(&self.table) as _);
        let mut columns = self.columns.clone();
        if with_file {
            columns.push(col(FILE_COLUMN));
        }
        let plan =
            LogicalPlanBuilder::scan(TableReference::bare(name), source, None)?.project(columns)?;
        Ok(plan.build()?)
    }
}

/// The columns as read from the files, and as shown.
struct Layout {
    read: Vec<Field>,
    fields: Vec<Field>,
    columns: Vec<Expr>,
}

impl Layout {
    fn new(
        found: Vec<detect::DetectedColumn>,
        given: &[Field],
        options: &SourceOptions,
        format: SourceFormat,
    ) -> Result<Self> {
        let schema: SchemaRef = Arc::new(Schema::new(
            found
                .iter()
                .map(|column| column.field.clone())
                .collect::<Vec<_>>(),
        ));
        let mut layout = Self {
            read: vec![],
            fields: vec![],
            columns: vec![],
        };
        for ((field, wanted), column) in columns::apply(given, &schema)?.into_iter().zip(&found) {
            let is_csv = format == SourceFormat::Csv;
            let is_money = matches!(wanted, DataType::Decimal128(..));
            let as_text = is_csv
                && (is_money
                    || column.padded && wanted != DataType::Utf8
                    || !options.null_text.is_empty());
            let read = match (is_csv, as_text) {
                (true, true) => DataType::Utf8,
                (true, false) => wanted.clone(),
                (false, _) => field.data_type().clone(),
            };
            let expr = ident(field.name().as_str());
            let expr = match as_text {
                true => from_text(expr, &wanted, field.name(), &options.null_text)?,
                false if read != wanted => cast(expr, wanted.clone()),
                false => expr,
            };
            layout.columns.push(expr.alias(field.name()));
            layout.fields.push(Field::new(field.name(), wanted, true));
            layout.read.push(Field::new(field.name(), read, true));
        }
        Ok(layout)
    }
}

/// The value of a text: blanks and the texts for NULL do not count.
fn from_text(column: Expr, wanted: &DataType, name: &str, null_text: &[String]) -> Result<Expr> {
    let is_text = matches!(
        wanted,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8
    );
    let trimmed = btrim(vec![column.clone()]);
    let mut nulls: Vec<Expr> = null_text.iter().map(|text| lit(text.as_str())).collect();
    nulls.push(lit(""));
    let kept = if is_text { column } else { trimmed.clone() };
    let value = when(
        trimmed.in_list(nulls, false),
        lit(datafusion::common::ScalarValue::Utf8(None)),
    )
    .otherwise(kept)?;
    Ok(match wanted {
        DataType::Decimal128(..) => exact_decimal(value, wanted, name),
        _ => cast(value, wanted.clone()),
    })
}

/// Hive folders become columns: whole numbers and dates typed, the rest text.
fn partition_fields(files: &[InputFile]) -> Result<Vec<Field>> {
    let keys = |file: &InputFile| -> Vec<String> {
        file.partitions.iter().map(|(key, _)| key.clone()).collect()
    };
    let Some(first) = files.first() else {
        return Ok(vec![]);
    };
    if let Some(other) = files.iter().find(|file| keys(file) != keys(first)) {
        return Err(Error::new(format!(
            "files disagree: '{}' and '{}' have different key=value folders",
            first.path.display(),
            other.path.display()
        )));
    }
    Ok(keys(first)
        .into_iter()
        .enumerate()
        .map(|(index, key)| {
            let mut values = files.iter().map(|file| file.partitions[index].1.as_str());
            let is_date = |value: &str| value.parse::<chrono::NaiveDate>().is_ok();
            let is_whole = |value: &str| {
                value
                    .parse::<i64>()
                    .is_ok_and(|number| number.to_string() == value)
            };
            let data_type = if values.clone().all(is_whole) {
                DataType::Int64
            } else if values.all(is_date) {
                DataType::Date32
            } else {
                DataType::Utf8
            };
            Field::new(key, data_type, true)
        })
        .collect())
}

/// Every column that an option names must exist.
fn check_named(options: &SourceOptions, schema: &SchemaRef) -> Result<()> {
    for (option, name) in options.named_columns() {
        if schema.column_with_name(name).is_none() {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            return Err(Error::new(format!(
                "option '{option}' names the column '{name}', which is not there"
            ))
            .hint_if(suggest(name, names.clone()))
            .hint(format!(
                "the columns are {}",
                names.collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}
