//! Owns the turning of structs into columns, for formats that know only cells:
//! `score` of type `STRUCT(r, f)` becomes `score.r` and `score.f`, at every depth.
//! Refuses lists and maps, which have no fixed number of cells.

use std::io;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::arrow_error;

/// The rows with a column for each field of a struct. The fields of a struct
/// that is NULL are NULL, so every column of the result is nullable.
pub(super) fn flat(batch: &RecordBatch) -> io::Result<RecordBatch> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        push(field.name(), array, None, &mut |name, column| {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        })?;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(arrow_error)
}

fn push(
    name: &str,
    array: &ArrayRef,
    outer: Option<&NullBuffer>,
    add: &mut dyn FnMut(&str, ArrayRef),
) -> io::Result<()> {
    let DataType::Struct(fields) = array.data_type() else {
        add(name, masked(array, outer)?);
        return Ok(());
    };
    let nulls = NullBuffer::union(outer, array.nulls());
    for (field, child) in fields.iter().zip(array.as_struct().columns()) {
        let name = format!("{name}.{}", field.name());
        push(&name, child, nulls.as_ref(), add)?;
    }
    Ok(())
}

/// The array with NULL where the struct around it is.
fn masked(array: &ArrayRef, outer: Option<&NullBuffer>) -> io::Result<ArrayRef> {
    match outer {
        Some(outer) if outer.null_count() > 0 => {
            let hidden = BooleanArray::new(!outer.inner(), None);
            nullif(array, &hidden).map_err(arrow_error)
        }
        _ => Ok(Arc::clone(array)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Int32Array, NullArray, StructArray};
    use datafusion::arrow::datatypes::Int32Type;

    #[test]
    fn a_struct_that_is_null_hides_fields_declared_not_null() {
        let fields = vec![
            Field::new("r", DataType::Int32, false),
            Field::new("nothing", DataType::Null, true),
        ];
        let score: ArrayRef = Arc::new(StructArray::new(
            fields.into(),
            vec![
                Arc::new(Int32Array::from(vec![5, 4, 3])),
                Arc::new(NullArray::new(3)),
            ],
            Some(vec![true, false, true].into()),
        ));
        let batch = RecordBatch::try_from_iter_with_nullable([("score", score, true)]).unwrap();
        let flattened = flat(&batch.slice(1, 2)).unwrap();
        let r = flattened.column(0).as_primitive::<Int32Type>();
        assert_eq!(r.iter().collect::<Vec<_>>(), [None, Some(3)]);
        let empty = flat(&RecordBatch::new_empty(batch.schema())).unwrap();
        assert_eq!(empty.schema(), flattened.schema());
        let schema = flattened.schema();
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["score.r", "score.nothing"]);
    }
}
