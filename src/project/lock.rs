//! `segql.lock`: the columns of CSV sources as they were first found.
//!
//! What a file looks like today must not decide what a column is tomorrow: types
//! once found stay, and a value that does not fit is an error that names it. A
//! source is looked into anew when its part of the file is removed. It is so when
//! its definition changes as well, but then a type that comes out another is an
//! error: the change may have nothing to do with it. A column that appears later is
//! added.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, Definition};
use crate::error::{Error, Result};
use crate::sql_type::sql_type_name;

const FILE: &str = "segql.lock";

/// Of the format.
const VERSION: u32 = 1;

const HEAD: &str = "# The columns of CSV sources as they were found; segql run writes this file.
# Keep it with the project. To have a source looked into anew, remove its part.
version = 1
";

/// The pinned sources of a project.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    version: u32,
    #[serde(default)]
    source: BTreeMap<String, Pinned>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    /// Checksum of the definition that the columns were found for.
    definition: String,
    /// Name and type of each column, in the order of the files.
    columns: Vec<[String; 2]>,
}

impl Lock {
    /// The file of a project; an empty one where there is none.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Error::usage(format!(
                    "cannot read '{}': {error}",
                    path.display()
                )));
            }
        };
        let wrong = |message: &str| {
            Error::usage(format!("'{}': {message}", path.display()))
                .hint("remove it; segql run writes it anew")
        };
        let lock: Self = toml::from_str(&text)
            .map_err(|error| wrong(error.message().lines().next().unwrap_or_default()))?;
        match lock.version {
            VERSION => Ok(lock),
            other => Err(wrong(&format!(
                "version {other} is not known to this segql"
            ))),
        }
    }

    /// Gives a source its pinned columns.
    pub(super) fn pin(&self, source: &mut Definition) -> Result<()> {
        let Some(pinned) = self.source.get(&source.name) else {
            return Ok(());
        };
        let columns = fields(&source.name, pinned)?;
        match pinned.definition == checksum(source) {
            true => source.pinned = columns,
            false => source.pinned_earlier = columns,
        }
        Ok(())
    }

    /// The same with what was found now; sources that are no longer defined
    /// fall out.
    pub(super) fn with(mut self, catalog: &Catalog, found: &BTreeMap<String, Vec<Field>>) -> Self {
        for (name, fields) in found {
            let Some(source) = catalog.find(name).filter(|it| it.in_project) else {
                continue;
            };
            let columns = fields
                .iter()
                .map(|field| [field.name().clone(), sql_type_name(field.data_type())]);
            let pinned = Pinned {
                definition: checksum(source),
                columns: columns.collect(),
            };
            self.source.insert(name.clone(), pinned);
        }
        self.source.retain(|name, _| catalog.find(name).is_some());
        self.version = VERSION;
        self
    }

    /// Writes the file, whole or not at all, when it says something new.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let path = root.join(FILE);
        let text = self.text();
        if self.source.is_empty() || std::fs::read_to_string(&path).is_ok_and(|it| it == text) {
            return Ok(());
        }
        let failed = |error: std::io::Error| {
            Error::new(format!("cannot write '{}': {error}", path.display()))
        };
        let mut file = new_file(root).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        let persisted = file.persist(&path);
        persisted.map(|_| ()).map_err(|error| failed(error.error))
    }

    /// One line a column, so that a change is a line in a diff.
    fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text = HEAD.to_owned();
        for (name, pinned) in &self.source {
            text.push_str(&format!(
                "\n[source.{}]\ndefinition = {}\ncolumns = [\n",
                quoted(name),
                quoted(&pinned.definition)
            ));
            for [column, word] in &pinned.columns {
                text.push_str(&format!("  [{}, {}],\n", quoted(column), quoted(word)));
            }
            text.push_str("]\n");
        }
        text
    }
}

/// For everyone who may read the project: a temporary file is for its owner only.
fn new_file(root: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".segql-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(root)
}

fn fields(source: &str, pinned: &Pinned) -> Result<Vec<Field>> {
    let field = |[name, word]: &[String; 2]| match type_of(word) {
        Some(data_type) => Ok(Field::new(name, data_type, true)),
        None => Err(Error::usage(format!(
            "{FILE}: '{word}', the type of column '{name}' of source {source}, is not known"
        ))
        .hint("remove the source's part; segql run writes it anew")),
    };
    pinned.columns.iter().map(field).collect()
}

/// Options that decide how files are read.
const READING: [&str; 6] = [
    "format",
    "columns",
    "delimiter",
    "quote",
    "header",
    "null_text",
];

fn checksum(source: &Definition) -> String {
    // Options that come from [defaults] stand in no text.
    let defaults = source.create.options.defaults();
    let options: String = defaults
        .filter(|(key, _)| READING.contains(key))
        .map(|(key, value)| format!("\n{key} = {value}"))
        .collect();
    let digest = Sha256::digest(format!("{}{options}", source.text));
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The types that columns of CSV files are found to have.
fn type_of(word: &str) -> Option<DataType> {
    Some(match word {
        "VARCHAR" => DataType::Utf8,
        "BOOLEAN" => DataType::Boolean,
        "BIGINT" => DataType::Int64,
        "DOUBLE" => DataType::Float64,
        "DATE" => DataType::Date32,
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMPTZ" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        decimal => {
            let inner = decimal.strip_prefix("DECIMAL(")?.strip_suffix(')')?;
            let (precision, scale) = inner.split_once(',')?;
            DataType::Decimal128(precision.parse().ok()?, scale.parse().ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let pinned = Pinned {
            definition: "00ff".to_owned(),
            columns: vec![
                ["Kod \"pocztowy\"".to_owned(), "VARCHAR".to_owned()],
                ["kwota".to_owned(), "DECIMAL(12,2)".to_owned()],
            ],
        };
        let lock = Lock {
            version: 1,
            source: BTreeMap::from([("a.b".to_owned(), pinned)]),
        };
        let read: Lock = toml::from_str(&lock.text()).expect("TOML");
        assert_eq!(read.source, lock.source);
        assert_eq!(read.text(), lock.text());
    }

    #[test]
    fn types_keep_their_words() {
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for data_type in [
            DataType::Utf8,
            DataType::Boolean,
            DataType::Int64,
            DataType::Float64,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            zoned,
            DataType::Decimal128(38, 6),
        ] {
            assert_eq!(type_of(&sql_type_name(&data_type)), Some(data_type));
        }
        assert_eq!(type_of("BLOB"), None);
    }
}
