//! The columns that the CSV files of a source have between them.
//!
//! Files may have their columns in another order, and lack some that others
//! have: a column that came later, or was dropped. A file that lacks a column
//! and has one that is new is more likely one that was renamed, and an error.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};

use super::InputFile;
use super::agree::disagree;
use super::csv::Header;
use super::detect::{DetectedColumn, Detection};
use super::widen::widen;
use crate::error::{Error, Result};

/// The columns of all files, and what each file has of them.
pub(super) struct CsvColumns {
    pub(super) fields: Vec<Field>,
    /// The names of those that have a value somewhere.
    pub(super) seen: BTreeSet<String>,
    /// Files with anything in them.
    pub(super) files: Vec<(InputFile, Arc<Header>)>,
}

struct Known<'f> {
    name: String,
    data_type: Option<DataType>,
    /// The first file that has it, and the first with a value in it.
    first: &'f InputFile,
}

/// Looks into all files; `given` are types that need not be found.
pub(super) fn csv_columns(
    files: &[InputFile],
    detection: &Detection<'_>,
    given: &[Field],
) -> Result<CsvColumns> {
    let mut union = Union::default();
    let mut named: Vec<(&InputFile, Vec<String>)> = vec![];
    for file in files {
        let Some(mut found) = detection.columns(&file.path)? else {
            continue;
        };
        // Without a header the list of columns gives the names as well.
        if !detection.shape.header && found.len() == given.len() {
            for (column, given) in found.iter_mut().zip(given) {
                column.name.clone_from(given.name());
            }
        }
        let names: Vec<String> = found.iter().map(|it| it.name.clone()).collect();
        let first = named.first().map(|(file, names)| (*file, names));
        if let Some((first, names_of_first)) = first
            && (!detection.shape.header && names_of_first != &names || union.is_renamed(&names))
        {
            return Err(other_columns((first, names_of_first), (file, &names)));
        }
        union.add(file, found, given)?;
        named.push((file, names));
    }
    if named.is_empty() {
        return Err(empty(files));
    }
    Ok(union.finish(named))
}

#[derive(Default)]
struct Union<'f> {
    columns: Vec<Known<'f>>,
    places: HashMap<String, usize>,
}

impl<'f> Union<'f> {
    fn is_renamed(&self, names: &[String]) -> bool {
        let known = names.iter().filter(|name| self.places.contains_key(*name));
        let known = known.count();
        known < names.len() && known < self.columns.len()
    }

    fn add(
        &mut self,
        file: &'f InputFile,
        found: Vec<DetectedColumn>,
        given: &[Field],
    ) -> Result<()> {
        for DetectedColumn { name, data_type } in found {
            let Some(place) = self.places.get(&name) else {
                self.places.insert(name.clone(), self.columns.len());
                self.columns.push(Known {
                    name,
                    data_type,
                    first: file,
                });
                continue;
            };
            let known = &mut self.columns[*place];
            if given.iter().any(|field| *field.name() == name) {
                continue;
            }
            match (&known.data_type, data_type) {
                (_, None) => {}
                (None, found) => (known.data_type, known.first) = (found, file),
                (Some(mine), Some(theirs)) => match widen(mine, &theirs) {
                    Some(wide) => known.data_type = Some(wide),
                    None => {
                        return Err(disagree(&name, (mine, known.first), (&theirs, file)).hint(
                            format!(
                                "WITH (columns = '\"{}\" VARCHAR') settles the column's type",
                                name.replace('"', "\"\"").replace('\'', "''")
                            ),
                        ));
                    }
                },
            }
        }
        Ok(())
    }

    fn finish(self, named: Vec<(&InputFile, Vec<String>)>) -> CsvColumns {
        let mut headers: HashMap<Vec<String>, Arc<Header>> = HashMap::new();
        let mut files = Vec::with_capacity(named.len());
        for (file, names) in named {
            let header = headers.entry(names).or_insert_with_key(|names| {
                let place = |known: &Known<'_>| names.iter().position(|name| *name == known.name);
                Arc::new(Header {
                    names: names.clone(),
                    places: self.columns.iter().map(place).collect(),
                })
            });
            files.push((file.clone(), Arc::clone(header)));
        }
        let seen = self
            .columns
            .iter()
            .filter(|known| known.data_type.is_some());
        let seen = seen.map(|known| known.name.clone()).collect();
        let field = |known: Known<'_>| {
            Field::new(known.name, known.data_type.unwrap_or(DataType::Utf8), true)
        };
        CsvColumns {
            fields: self.columns.into_iter().map(field).collect(),
            seen,
            files,
        }
    }
}

fn other_columns(first: (&InputFile, &[String]), other: (&InputFile, &[String])) -> Error {
    Error::new(format!(
        "files disagree: '{}' has the columns {}, '{}' has {}",
        first.0.path.display(),
        first.1.join(", "),
        other.0.path.display(),
        other.1.join(", ")
    ))
    .hint("files may lack columns, or have more; one that lacks some and has others needs a source of its own")
}

fn empty(files: &[InputFile]) -> Error {
    let path = files.first().map(|file| file.path.display().to_string());
    Error::new(format!("'{}' is empty", path.unwrap_or_default()))
        .hint("a CSV file needs at least a line with the names of its columns")
}
