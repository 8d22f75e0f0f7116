//! Owns the Arrow IPC file format. Refuses streams and compression, so that
//! any reader can map the file.

use std::io;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::FileWriter;

use super::columns::Columns;
use super::{Options, Renderer, Sink, arrow_error};

struct Arrow<'a> {
    columns: Columns,
    writer: FileWriter<Sink<'a>>,
}

pub(super) fn open<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    let columns = Columns::new(&schema);
    let writer = FileWriter::try_new(out, columns.schema()).map_err(arrow_error)?;
    Ok(Box::new(Arrow { columns, writer }))
}

impl Renderer for Arrow<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.writer
            .write(&self.columns.apply(batch)?)
            .map_err(arrow_error)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.finish().map_err(arrow_error)?;
        self.writer.get_mut().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{customers, render_bytes};
    use datafusion::arrow::ipc::reader::FileReader;
    use std::io::Cursor;

    #[test]
    fn what_is_written_is_read_back() {
        let batch = customers();
        let bytes = render_bytes(
            Format::Arrow,
            &batch.schema(),
            &[batch.clone(), batch.clone()],
        );
        let read: Vec<_> = FileReader::try_new(Cursor::new(bytes), None)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(read, [batch.clone(), batch]);
    }

    #[test]
    fn an_empty_result_is_a_valid_file_with_its_schema() {
        let schema = customers().schema();
        let bytes = render_bytes(Format::Arrow, &schema, &[]);
        let reader = FileReader::try_new(Cursor::new(bytes), None).unwrap();
        assert_eq!(reader.schema(), schema);
        assert_eq!(reader.count(), 0);
    }
}
