//! A source whose definition changed is looked into anew: its columns must not
//! change their types on the way unless somebody says so.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::{DataType, Field};

use super::csv::CsvTable;
use crate::error::Error;
use crate::sql_type::sql_type_name;

/// A column that came out another than it was.
pub(super) struct Drift {
    name: String,
    was: DataType,
    is: DataType,
}

impl Drift {
    /// Compares what was found with what was found `earlier`; a column without a
    /// value stays what it was.
    pub(super) fn settle<'f>(
        fields: &mut [Field],
        earlier: impl Iterator<Item = &'f Field>,
        seen: &BTreeSet<String>,
    ) -> Option<Self> {
        let mut drift = None;
        for was in earlier {
            let Some(field) = fields.iter_mut().find(|it| it.name() == was.name()) else {
                continue;
            };
            if !seen.contains(field.name()) {
                field.set_data_type(was.data_type().clone());
            } else if field.data_type() != was.data_type() && drift.is_none() {
                drift = Some(Self {
                    name: was.name().clone(),
                    was: was.data_type().clone(),
                    is: field.data_type().clone(),
                });
            }
        }
        drift
    }

    /// Gives the column its earlier type, to find the value that does not fit.
    pub(super) fn put_back(&self, fields: &mut [Field]) {
        for field in fields.iter_mut().filter(|it| *it.name() == self.name) {
            field.set_data_type(self.was.clone());
        }
    }

    /// Names both types, and the first value of the table that is not of the
    /// earlier one.
    pub(super) fn error(self, table: &CsvTable) -> Error {
        let mut value = None;
        // Ends at the first that is found; what else is wrong is another story.
        let _ = table.faults(|file, faults| {
            let mut faults = faults.into_iter();
            match faults.find(|it| it.column.as_deref() == Some(&self.name)) {
                None => Ok(()),
                Some(fault) => {
                    let error = fault.error(&file.path);
                    value = Some(error.message().to_owned());
                    Err(error)
                }
            }
        });
        let (was, is) = (sql_type_name(&self.was), sql_type_name(&self.is));
        let because = value.map_or(String::new(), |value| format!(": {value}"));
        Error::new(format!(
            "column '{}' is {was} in segql.lock, and {is} when it is looked into again for the changed definition{because}",
            self.name
        ))
        .hint(format!(
            "WITH (columns = '\"{}\" {is}') settles its type; so does removing the source's part of segql.lock",
            self.name.replace('"', "\"\"").replace('\'', "''")
        ))
    }
}
