//! Opening a source: list the files, settle the schema, make the table.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col};
use datafusion::prelude::ident;

use super::agree::{common_encoding, file_columns};
use super::csv::{CsvSpec, CsvTable, Fault};
use super::csv_columns::csv_columns;
use super::detect::Detection;
use super::drift::Drift;
use super::earliest::{Earliest, FirstTimes, Until};
use super::format::{CsvShape, Encoding, csv_reader, reader};
use super::numbered::NumberedTable;
use super::partitions::partition_fields;
use super::table::FilesTable;
use super::{BadRow, InputFile, SourceFormat, SourceOptions, columns, files};
use crate::error::{Error, Result, suggest};
use crate::sql_type::sql_type_name;

/// The hidden column with the file a row came from.
pub const FILE_COLUMN: &str = "_file";

/// The hidden column with the line a row begins on.
pub const LINE_COLUMN: &str = "_line";

/// A source whose files and columns are settled.
#[derive(Debug, Clone)]
pub struct OpenSource {
    /// Its files, sorted by path.
    pub files: Vec<InputFile>,
    /// Format of all of them.
    pub format: SourceFormat,
    /// Its columns, without the hidden ones.
    pub schema: SchemaRef,
    table: Arc<dyn TableProvider>,
    /// The same table, when it is of CSV files.
    csv: Option<Arc<CsvTable>>,
    /// How each column is made from the files' columns.
    columns: Vec<Expr>,
    /// The columns of CSV files whose types were found by looking.
    detected: Vec<Field>,
    /// The first times in its files, as far as they are known.
    first_times: FirstTimes,
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
        let keys = partition_fields(&files)?;
        let mut opened = match encoding.format {
            Some(SourceFormat::Csv) | None => Self::csv(files, &encoding, &keys, options)?,
            Some(format) => Self::other(files, &encoding, format, &keys, options, session).await?,
        };
        let mut fields = opened.schema.fields().to_vec();
        for key in keys {
            // Written in the files as well, it is read from there.
            if opened.schema.column_with_name(key.name()).is_some() {
                continue;
            }
            opened.first_times.add_folders(&opened.files, &key);
            opened.columns.push(ident(key.name().as_str()));
            fields.push(Arc::new(key));
        }
        opened.schema = Arc::new(Schema::new(fields));
        check_named(options, &opened.schema)?;
        Ok(opened)
    }

    fn csv(
        files: Vec<InputFile>,
        encoding: &Encoding,
        keys: &[Field],
        options: &SourceOptions,
    ) -> Result<Self> {
        let first = files.first().map(|file| file.path.as_path());
        let shape = CsvShape::new(options, encoding, first.unwrap_or(Path::new("")));
        let as_text = all_as_text(options);
        let typed = given_columns(options)?;
        let mut given = typed.clone();
        if !as_text {
            columns::add_pinned(&mut given, &options.pinned);
        }
        let detection = Detection {
            encoding,
            shape,
            options,
            names_only: as_text,
            pinned: match options.pinned.is_empty() {
                true => &[],
                false => &given,
            },
            files: files.len(),
        };
        let found = csv_columns(&files, &detection, &given)?;
        let mut fields = csv_fields(&given, found.fields)?;
        let has = |fields: &[Field], name: &str| fields.iter().any(|it| it.name() == name);
        let mut drift = None;
        if !as_text {
            let earlier = options.pinned_earlier.iter();
            let open = earlier.filter(|it| !has(&typed, it.name()));
            drift = Drift::settle(&mut fields, open, &found.seen);
        }
        let is_found = |field: &&Field| {
            let name = field.name();
            let known = found.seen.contains(name)
                || has(&options.pinned, name)
                || has(&options.pinned_earlier, name);
            known && !as_text && !has(&typed, name)
        };
        let detected: Vec<Field> = fields.iter().filter(is_found).cloned().collect();
        if let Some(drift) = &drift {
            drift.put_back(&mut fields);
        }
        let spec = CsvSpec {
            shape,
            compression: encoding.compression,
            null_text: options.null_text.clone(),
            reject: options.on_bad_row == BadRow::Reject,
            seen_bytes: detection.seen_bytes(&found.files),
            columns: fields.clone(),
        };
        let format = csv_reader(encoding, shape);
        let table = Arc::new(CsvTable::new(spec, found.files, keys, format)?);
        if let Some(drift) = drift {
            return Err(drift.error(&table));
        }
        Ok(Self {
            files,
            format: SourceFormat::Csv,
            columns: fields.iter().map(|it| ident(it.name().as_str())).collect(),
            schema: Arc::new(Schema::new(fields)),
            table: Arc::clone(&table) as _,
            csv: Some(table),
            detected,
            first_times: FirstTimes::default(),
        })
    }

    async fn other(
        files: Vec<InputFile>,
        encoding: &Encoding,
        format: SourceFormat,
        keys: &[Field],
        options: &SourceOptions,
        session: &dyn Session,
    ) -> Result<Self> {
        refuse_csv_options(options, format)?;
        let reader = reader(format, encoding);
        let found = file_columns(&files, reader.as_ref(), session).await?;
        let read = Arc::new(Schema::new(found));
        let mut columns = vec![];
        let mut fields = vec![];
        for (field, wanted) in columns::apply(&given_columns(options)?, &read)? {
            let column = ident(field.name().as_str());
            let column = match *field.data_type() == wanted {
                true => column,
                false => cast(column, wanted.clone()).alias(field.name()),
            };
            columns.push(column);
            fields.push(field.with_data_type(wanted));
        }
        let table = FilesTable::new(read, keys, &files, reader)?;
        let table = table.with_statistics(session).await?;
        let first_times = FirstTimes::default();
        for column in options.times() {
            for (file, first) in table.earliest(column).into_iter().enumerate() {
                let known = first.map_or(Earliest::Always, Earliest::Exactly);
                first_times.add(file, column, known);
            }
        }
        Ok(Self {
            first_times,
            files,
            format,
            schema: Arc::new(Schema::new(fields)),
            table: Arc::new(NumberedTable::new(table)),
            csv: None,
            detected: vec![],
            columns,
        })
    }

    /// The columns of CSV files whose types were found by looking into them, now
    /// or before: nobody gave them, and some value spoke for them.
    pub fn detected(&self) -> &[Field] {
        &self.detected
    }

    /// Are these still the files, unchanged?
    pub fn is_current(&self, location: &str, base: &Path) -> bool {
        files::list(location, base).is_ok_and(|files| files == self.files)
    }

    /// Its files, without those of which it is known, or can be found out at little
    /// cost, that nothing in them happened until then.
    pub fn files_until(&self, untils: &[Until<'_>], written_until: i64) -> Vec<InputFile> {
        let files = self.files.iter().enumerate();
        let seen = files.filter(|(index, file)| {
            let mut untils = untils.iter();
            !untils.any(|until| self.is_after(*index, file, until, written_until))
        });
        seen.map(|(_, file)| file.clone()).collect()
    }

    fn is_after(&self, index: usize, file: &InputFile, until: &Until<'_>, written: i64) -> bool {
        self.first_times.is_after(index, until, || {
            // What was written before then is read for it in any case: nobody writes
            // only of the future.
            if file.modified <= written {
                return None;
            }
            let found = self
                .csv
                .as_ref()?
                .earliest(index, until.column, &until.time);
            // Whoever reads its rows says what is wrong with it.
            found.ok()
        })
    }

    /// A plan that reads it, with these hidden columns last. A column of its
    /// own by such a name hides the hidden one.
    pub fn plan(&self, name: &str, hidden: &[&str]) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::clone(&self.table));
        let mut columns = self.columns.clone();
        let own = |name: &str| self.schema.column_with_name(name).is_some();
        columns.extend(hidden.iter().filter(|it| !own(it)).map(|it| col(*it)));
        let plan =
            LogicalPlanBuilder::scan(TableReference::bare(name), source, None)?.project(columns)?;
        Ok(plan.build()?)
    }

    /// How many rows are left out because something is wrong with them.
    pub fn rejected_rows(&self) -> Result<u64> {
        match &self.csv {
            Some(table) => table.rejected_rows(),
            None => Ok(0),
        }
    }

    /// Reads all files and calls `found` with what is wrong with their rows, in
    /// their order.
    pub fn faults(&self, found: impl FnMut(&InputFile, Vec<Fault>) -> Result<()>) -> Result<()> {
        match &self.csv {
            Some(table) => table.faults(found),
            None => Ok(()),
        }
    }
}

/// Does `columns = 'text'` take every column as written?
fn all_as_text(options: &SourceOptions) -> bool {
    let columns = options.columns.as_deref().map(str::trim);
    columns.is_some_and(|columns| columns.eq_ignore_ascii_case("text"))
}

/// Options that only make sense for files of text.
fn refuse_csv_options(options: &SourceOptions, format: SourceFormat) -> Result<()> {
    let option = if options.on_bad_row == BadRow::Reject {
        "on_bad_row = 'reject'"
    } else if all_as_text(options) {
        "columns = 'text'"
    } else {
        return Ok(());
    };
    Err(Error::new(format!(
        "{option} is for CSV; files of format {format} have types of their own"
    )))
}

/// The columns found in CSV files with the types given for them.
fn csv_fields(given: &[Field], found: Vec<Field>) -> Result<Vec<Field>> {
    let columns = columns::apply(given, &Arc::new(Schema::new(found)))?;
    let typed = columns.into_iter().map(|(field, wanted)| {
        if wanted.is_nested() || !can_cast_types(&DataType::Utf8, &wanted) {
            return Err(Error::new(format!(
                "option 'columns': a CSV file cannot hold {}, the type given for '{}'",
                sql_type_name(&wanted),
                field.name()
            )));
        }
        Ok(field.with_data_type(wanted))
    });
    typed.collect()
}

/// The columns whose types are given.
fn given_columns(options: &SourceOptions) -> Result<Vec<Field>> {
    match options.columns.as_deref() {
        Some(text) if !all_as_text(options) => columns::parse(text),
        _ => Ok(vec![]),
    }
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
