//! Owns the two JSON documents: one array of objects, and one object a line.
//! Refuses to know how a value is written, which is `json_value`'s.
//!
//! A field that is NULL is an explicit `null`: every object has every column.

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{JsonFormat, LineDelimited, Writer};

use super::columns::Columns;
use super::json_value;
use super::{Options, Renderer, Sink, arrow_error};

/// `[…]` with a line for each object: valid JSON that line tools can still read.
#[derive(Debug, Default)]
struct ObjectArray;

impl JsonFormat for ObjectArray {
    fn start_stream<W: Write>(&self, out: &mut W) -> Result<(), ArrowError> {
        Ok(out.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, out: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(out.write_all(if is_first_row { b"" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, out: &mut W) -> Result<(), ArrowError> {
        Ok(out.write_all(b"]\n")?)
    }
}

struct Json<'a, F: JsonFormat> {
    columns: Columns,
    writer: Writer<Sink<'a>, F>,
}

pub(super) fn open_json<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    Ok(Box::new(open::<ObjectArray>(&schema, out)))
}

pub(super) fn open_jsonl<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    Ok(Box::new(open::<LineDelimited>(&schema, out)))
}

fn open<'a, F: JsonFormat>(schema: &SchemaRef, out: Sink<'a>) -> Json<'a, F> {
    Json {
        columns: Columns::new(schema),
        writer: json_value::document_rules().build(out),
    }
}

impl<F: JsonFormat + Send> Renderer for Json<'_, F> {
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
    use super::super::fixture::{customers, nested, render, times};

    #[test]
    fn json_is_one_array_whatever_the_number_of_batches() {
        let batch = customers();
        let text = render(
            Format::Json,
            &batch.schema(),
            &[batch.slice(0, 2), batch.slice(2, 0), batch.slice(2, 2)],
        );
        assert_eq!(
            text,
            concat!(
                r#"[{"id":1,"name":"Żaneta Wójcik","spend":1234.50,"score":0.5},"#,
                "\n",
                r#"{"id":-9007199254740993,"name":"","spend":-0.05,"score":null},"#,
                "\n",
                r#"{"id":3,"name":null,"spend":null,"score":null},"#,
                "\n",
                r#"{"id":null,"name":"a,\"b\"\n|\t'c'","spend":99999999999999999999.99,"score":-1.0e300}]"#,
                "\n",
            )
        );
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.as_array().unwrap().len(), 4);
    }

    #[test]
    fn empty_results_are_valid() {
        let schema = customers().schema();
        assert_eq!(render(Format::Json, &schema, &[]), "[]\n");
        assert_eq!(
            render(Format::Json, &schema, &[customers().slice(0, 0)]),
            "[]\n"
        );
        assert_eq!(render(Format::Jsonl, &schema, &[]), "");
    }

    #[test]
    fn jsonl_is_one_object_a_line_with_nested_values() {
        let batch = nested();
        assert_eq!(
            render(Format::Jsonl, &batch.schema(), &[batch]),
            concat!(
                r#"{"rfm":{"r":5,"label":{"text":"champions"}},"tags":["a","b|c",null],"limits":{"7":1.5}}"#,
                "\n",
                r#"{"rfm":null,"tags":[],"limits":{}}"#,
                "\n",
                r#"{"rfm":{"r":null,"label":null},"tags":null,"limits":null}"#,
                "\n",
            )
        );
    }

    #[test]
    fn times_are_iso_strings() {
        let batch = times();
        assert_eq!(
            render(Format::Jsonl, &batch.schema(), &[batch]),
            concat!(
                r#"{"day":"2026-01-31","day_ms":"2026-01-31","s":"2026-01-31T12:30:00","ms":"2026-01-31T12:30:00.250","#,
                r#""us":"2026-01-31T12:30:00.000001","ns":"2026-01-31T12:30:00.000000001","utc":"2026-01-31T12:30:00Z","#,
                r#""warsaw":"2026-01-31T13:30:00+01:00","time":"12:30:00"}"#,
                "\n",
            )
        );
    }
}
