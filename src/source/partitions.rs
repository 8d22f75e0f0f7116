//! The columns that `key=value` folders make.

use datafusion::arrow::datatypes::{DataType, Field};

use super::InputFile;
use crate::error::{Error, Result};

/// Hive folders become columns: whole numbers and dates typed, the rest text.
pub(super) fn partition_fields(files: &[InputFile]) -> Result<Vec<Field>> {
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
