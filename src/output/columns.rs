//! Owns what a result's columns become in a file for programs: names that occur
//! once, dictionaries unpacked. Refuses to touch values, or tables for people,
//! where a column is called as the query calls it.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::arrow_error;

/// The columns of a file.
pub(super) struct Columns {
    schema: SchemaRef,
}

impl Columns {
    /// The second `id` of a schema becomes `id_1`, as in DuckDB: repeated names
    /// make JSON ambiguous and Parquet unreadable. Dictionaries become their
    /// values, since an IPC file cannot replace one from batch to batch.
    pub(super) fn new(schema: &Schema) -> Self {
        let mut taken: HashSet<String> = HashSet::new();
        let given: HashSet<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| {
                let name = distinct(field.name(), &taken, &given);
                taken.insert(name.clone());
                Field::new(name, unpacked(field.data_type()), field.is_nullable())
                    .with_metadata(field.metadata().clone())
            })
            .collect();
        let metadata = schema.metadata().clone();
        Self {
            schema: Arc::new(Schema::new_with_metadata(fields, metadata)),
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of `batch` as these columns.
    pub(super) fn apply(&self, batch: &RecordBatch) -> io::Result<RecordBatch> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                DataType::Dictionary(_, value) => cast(column, value),
                _ => Ok(Arc::clone(column)),
            })
            .collect::<Result<Vec<ArrayRef>, _>>()
            .map_err(arrow_error)?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(arrow_error)
    }
}

fn unpacked(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        other => other.clone(),
    }
}

fn distinct(name: &str, taken: &HashSet<String>, given: &HashSet<&str>) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    (1..)
        .map(|n| format!("{name}_{n}"))
        .find(|candidate| !taken.contains(candidate) && !given.contains(candidate.as_str()))
        .expect("one of endlessly many numbers is free")
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Array, AsArray, DictionaryArray, Int32Array, StringArray};
    use datafusion::arrow::datatypes::Int32Type;

    #[test]
    fn repeated_names_are_numbered_around_given_ones() {
        let field = |name: &str| Field::new(name, DataType::Int32, true);
        let schema = Schema::new(vec![field("id"), field("id"), field("id_1"), field("id")]);
        let names: Vec<_> = Columns::new(&schema)
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        assert_eq!(names, ["id", "id_2", "id_1", "id_3"]);
    }

    #[test]
    fn dictionaries_are_unpacked_and_their_nulls_kept() {
        let values = StringArray::from(vec![Some("gold"), None]);
        let keys = Int32Array::from(vec![Some(0), Some(1), None]);
        let tiers = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values)).unwrap();
        let batch = RecordBatch::try_from_iter([("tier", Arc::new(tiers) as ArrayRef)]).unwrap();
        let columns = Columns::new(&batch.schema());
        let column = columns.apply(&batch).unwrap().column(0).clone();
        let column = column.as_string::<i32>();
        assert_eq!(column.value(0), "gold");
        assert!(column.is_null(1) && column.is_null(2));
    }
}
