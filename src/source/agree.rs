//! What the files of a source agree on: one format, one packing, one schema.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::catalog::Session;
use datafusion::datasource::file_format::FileFormat;
use datafusion::execution::object_store::ObjectStoreUrl;

use super::format::{CsvShape, Encoding};
use super::{InputFile, SourceOptions, detect};
use crate::error::{Error, Result};

/// All files of a source have one format and are packed alike.
pub(super) fn common_encoding(files: &[InputFile], options: &SourceOptions) -> Result<Encoding> {
    let first = files
        .first()
        .ok_or_else(|| Error::new("a source without files"))?;
    let encoding = Encoding::of(&first.path);
    for file in files {
        let other = Encoding::of(&file.path);
        if other.compression != encoding.compression
            || options.format.is_none() && other.format != encoding.format
        {
            return Err(Error::new(format!(
                "the files of a source must be of one format: '{}' and '{}' differ",
                first.path.display(),
                file.path.display()
            )));
        }
    }
    let format = options.format.or(encoding.format).ok_or_else(|| {
        Error::new(format!(
            "the format of '{}' cannot be told from its name",
            first.path.display()
        ))
        .hint("add WITH (format = 'csv'), or parquet, json, arrow")
    })?;
    Ok(Encoding {
        format: Some(format),
        ..encoding
    })
}

pub(super) fn csv_columns(
    files: &[InputFile],
    encoding: &Encoding,
    shape: CsvShape,
    options: &SourceOptions,
    given: &[Field],
) -> Result<Vec<detect::DetectedColumn>> {
    let mut all: Option<(&InputFile, Vec<detect::DetectedColumn>)> = None;
    for file in files {
        let mut found = detect::detect(&file.path, encoding, shape, &options.null_text)?;
        // Without a header the list of columns gives the names as well.
        if !shape.header && found.len() == given.len() {
            for (column, given) in found.iter_mut().zip(given) {
                column.field = column.field.clone().with_name(given.name());
            }
        }
        match &mut all {
            None => all = Some((file, found)),
            Some((first, columns)) => {
                same_names(first, columns, file, &found)?;
                for (column, other) in columns.iter_mut().zip(&found) {
                    column.padded |= other.padded;
                    let is_given = given
                        .iter()
                        .any(|field| field.name() == column.field.name());
                    if !is_given {
                        widen(column, other, first, file)?;
                    }
                }
            }
        }
    }
    Ok(all.map(|(_, columns)| columns).unwrap_or_default())
}

/// CSV is read by position: names must stand in one order.
fn same_names(
    first: &InputFile,
    columns: &[detect::DetectedColumn],
    file: &InputFile,
    found: &[detect::DetectedColumn],
) -> Result<()> {
    let names = |columns: &[detect::DetectedColumn]| -> Vec<String> {
        columns
            .iter()
            .map(|column| column.field.name().clone())
            .collect()
    };
    if names(columns) == names(found) {
        return Ok(());
    }
    Err(Error::new(format!(
        "files disagree: '{}' has the columns {}, '{}' has {}",
        first.path.display(),
        names(columns).join(", "),
        file.path.display(),
        names(found).join(", ")
    )))
}

fn widen(
    column: &mut detect::DetectedColumn,
    other: &detect::DetectedColumn,
    first: &InputFile,
    file: &InputFile,
) -> Result<()> {
    use DataType::{Decimal128, Float64, Int64};
    let (mine, theirs) = (column.field.data_type(), other.field.data_type());
    let wide = match (mine, theirs) {
        (mine, theirs) if mine == theirs => return Ok(()),
        (Decimal128(p, s), Decimal128(q, t)) => Decimal128(*p.max(q), *s.max(t)),
        (Decimal128(p, s), Int64) | (Int64, Decimal128(p, s)) => Decimal128(*p, *s),
        (Float64, Int64 | Decimal128(..)) | (Int64 | Decimal128(..), Float64) => Float64,
        _ => {
            return Err(disagree(column.field.name(), (mine, first), (theirs, file))
                .hint("WITH (columns = '… VARCHAR') settles a column's type"));
        }
    };
    column.field = column.field.clone().with_data_type(wide);
    Ok(())
}

fn disagree(name: &str, mine: (&DataType, &InputFile), theirs: (&DataType, &InputFile)) -> Error {
    Error::new(format!(
        "files disagree: column '{name}' is {} in '{}' but {} in '{}'",
        crate::sql_type::sql_type_name(mine.0),
        mine.1.path.display(),
        crate::sql_type::sql_type_name(theirs.0),
        theirs.1.path.display()
    ))
}

/// Columns of formats that know their own; matched by name between files.
pub(super) async fn file_columns(
    files: &[InputFile],
    reader: &dyn FileFormat,
    session: &dyn Session,
) -> Result<Vec<detect::DetectedColumn>> {
    let store = session
        .runtime_env()
        .object_store(ObjectStoreUrl::local_filesystem())?;
    let mut all: Vec<(Field, &InputFile)> = vec![];
    for file in files {
        let meta = file.object_meta()?;
        let schema = reader
            .infer_schema(session, &store, &[meta])
            .await
            .map_err(|error| unreadable(file, error.into()))?;
        for field in schema.fields() {
            match all.iter().find(|(known, _)| known.name() == field.name()) {
                None => all.push((field.as_ref().clone(), file)),
                Some((known, first)) if known.data_type() != field.data_type() => {
                    let mine = (known.data_type(), *first);
                    return Err(disagree(field.name(), mine, (field.data_type(), file)));
                }
                Some(_) => {}
            }
        }
    }
    let plain = |field: Field| Field::new(field.name(), field.data_type().clone(), true);
    Ok(all
        .into_iter()
        .map(|(field, _)| detect::DetectedColumn {
            field: plain(field),
            padded: false,
        })
        .collect())
}

fn unreadable(file: &InputFile, error: Error) -> Error {
    Error::new(format!(
        "cannot read '{}': {}",
        file.path.display(),
        error.message()
    ))
    .hint("is it of the format its name says? WITH (format = …) sets it")
}
