//! What the files of a source agree on: one format, one packing, one schema.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::catalog::Session;
use datafusion::datasource::file_format::FileFormat;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::{StreamExt, TryStreamExt};

use super::format::Encoding;
use super::widen::widen;
use super::{InputFile, SourceOptions};
use crate::error::{Error, Result};

/// How many files are looked into at once.
const CONCURRENT_FILES: usize = 16;

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

/// An error about a column whose types have nothing in common.
pub(super) fn disagree(
    name: &str,
    mine: (&DataType, &InputFile),
    theirs: (&DataType, &InputFile),
) -> Error {
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
) -> Result<Vec<Field>> {
    let store = session
        .runtime_env()
        .object_store(ObjectStoreUrl::local_filesystem())?;
    let schemas = futures::stream::iter(files.to_vec()).map(|file| {
        let store = &store;
        async move {
            let meta = [file.object_meta()?];
            let schema = reader.infer_schema(session, store, &meta).await;
            let schema = schema.map_err(|error| unreadable(&file, error.into()))?;
            Ok::<_, Error>((file, schema))
        }
    });
    let mut schemas = schemas.buffered(CONCURRENT_FILES);
    let mut all: Vec<(Field, InputFile)> = vec![];
    while let Some((file, schema)) = schemas.try_next().await? {
        for field in schema.fields() {
            let known = all.iter_mut().find(|(it, _)| it.name() == field.name());
            let Some((known, first)) = known else {
                let plain = Field::new(field.name(), field.data_type().clone(), true);
                all.push((plain, file.clone()));
                continue;
            };
            match widen(known.data_type(), field.data_type()) {
                Some(wide) => known.set_data_type(wide),
                None => {
                    let mine = (known.data_type(), &*first);
                    return Err(disagree(field.name(), mine, (field.data_type(), &file)));
                }
            }
        }
    }
    Ok(all.into_iter().map(|(field, _)| field).collect())
}

fn unreadable(file: &InputFile, error: Error) -> Error {
    Error::new(format!(
        "cannot read '{}': {}",
        file.path.display(),
        error.message()
    ))
    .hint("is it of the format its name says? WITH (format = …) sets it")
}
