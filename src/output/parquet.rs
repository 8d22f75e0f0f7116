//! Owns Parquet for results: zstd, everything else as the writer has it.
//! Refuses the store's files, which have a layout and a footer of their own.

use std::io;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::columns::Columns;
use super::{Options, Renderer, Sink, arrow_error, external_error};
use crate::sql_type::sql_type_name;

struct Parquet<'a> {
    columns: Columns,
    writer: ArrowWriter<Sink<'a>>,
}

pub(super) fn open<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    let columns = Columns::new(&schema);
    columns
        .schema()
        .fields()
        .iter()
        .try_for_each(|field| check(field))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let writer = ArrowWriter::try_new(out, columns.schema().clone(), Some(properties))
        .map_err(parquet_error)?;
    Ok(Box::new(Parquet { columns, writer }))
}

impl Renderer for Parquet<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.writer
            .write(&self.columns.apply(batch)?)
            .map_err(parquet_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.finish().map_err(parquet_error)?;
        self.writer.inner_mut().flush()
    }
}

/// Refuses, before anything is written, what the writer cannot hold.
fn check(field: &Field) -> io::Result<()> {
    if !is_refused(field.data_type()) {
        return Ok(());
    }
    let name = field.name();
    let sql_type = sql_type_name(field.data_type());
    let message =
        format!("column '{name}' of type {sql_type} does not fit in Parquet; CAST it to VARCHAR");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

fn is_refused(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Union(_, _) => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => {
            is_refused(item.data_type())
        }
        DataType::FixedSizeList(item, _) => is_refused(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_refused(field.data_type())),
        _ => false,
    }
}

fn parquet_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast() {
            Ok(error) => arrow_error(*error),
            Err(error) => external_error(error),
        },
        error => io::Error::other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{customers, render_bytes};
    use super::super::{Format, Options};
    use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, Schema};
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use datafusion::parquet::basic::Compression;
    use datafusion::parquet::file::reader::ChunkReader;
    use std::sync::Arc;

    fn open(bytes: Vec<u8>) -> ParquetRecordBatchReaderBuilder<impl ChunkReader> {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back_and_is_zstd() {
        let batch = customers();
        let reader = open(render_bytes(
            Format::Parquet,
            &batch.schema(),
            std::slice::from_ref(&batch),
        ));
        let column = reader.metadata().row_group(0).column(0).compression();
        assert!(matches!(column, Compression::ZSTD(_)), "{column:?}");
        let read: Vec<_> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, [batch]);
    }

    #[test]
    fn an_empty_result_is_a_valid_file_with_its_schema() {
        let schema = customers().schema();
        let reader = open(render_bytes(Format::Parquet, &schema, &[]));
        assert_eq!(reader.schema().fields(), schema.fields());
        assert_eq!(reader.build().unwrap().count(), 0);
    }

    #[test]
    fn an_interval_is_refused_with_what_to_write_instead() {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        let list = DataType::new_list(interval, true);
        let schema = Schema::new(vec![Field::new("gaps", list, true)]);
        let opened =
            Format::Parquet.renderer(Arc::new(schema), &Options::default(), Box::new(Vec::new()));
        assert_eq!(
            opened.err().expect("an interval does not fit").to_string(),
            "column 'gaps' of type INTERVAL[] does not fit in Parquet; CAST it to VARCHAR"
        );
    }
}
