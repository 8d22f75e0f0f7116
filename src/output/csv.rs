//! Owns CSV and TSV: a header always, quoting as in RFC 4180, lines ended by
//! `\n`. Refuses dialects: what segql writes, it reads without options.
//!
//! NULL is an empty field, the empty text is `""`. A struct becomes a column for
//! each of its fields, `score.r`; lists and maps are JSON text; times are ISO 8601.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::EncoderOptions;
use datafusion::arrow::json::writer::{NullableEncoder, make_encoder};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::columns::Columns;
use super::flat::flat;
use super::json_value::{self, DATE64};
use super::{Options, Renderer, Sink, arrow_error};

const CHUNK_BYTES: usize = 64 * 1024;

struct Csv<'a> {
    columns: Columns,
    json: EncoderOptions,
    delimiter: char,
    out: Sink<'a>,
}

pub(super) fn open_csv<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    open(schema, ',', out)
}

pub(super) fn open_tsv<'a>(
    schema: SchemaRef,
    _: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    open(schema, '\t', out)
}

fn open<'a>(
    schema: SchemaRef,
    delimiter: char,
    mut out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    let columns = Columns::new(&flat(&RecordBatch::new_empty(schema))?.schema());
    let mut header = String::new();
    for (i, field) in columns.schema().fields().iter().enumerate() {
        if i > 0 {
            header.push(delimiter);
        }
        push_field(&mut header, field.name(), delimiter);
    }
    header.push('\n');
    out.write_all(header.as_bytes())?;
    let json = json_value::rules();
    Ok(Box::new(Csv {
        columns,
        json,
        delimiter,
        out,
    }))
}

impl Renderer for Csv<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let batch = self.columns.apply(&flat(batch)?)?;
        let schema = batch.schema();
        let mut fields = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, array)| Values::new(field, array, &self.json))
            .collect::<Result<Vec<_>, _>>()
            .map_err(arrow_error)?;
        let (mut lines, mut value) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            for (i, field) in fields.iter_mut().enumerate() {
                if i > 0 {
                    lines.push(self.delimiter);
                }
                if field.read(row, &mut value).map_err(arrow_error)? {
                    push_field(&mut lines, &value, self.delimiter);
                }
            }
            lines.push('\n');
            if lines.len() > CHUNK_BYTES {
                self.out.write_all(lines.as_bytes())?;
                lines.clear();
            }
        }
        self.out.write_all(lines.as_bytes())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// The values of one column as text.
struct Values<'a> {
    nulls: Option<NullBuffer>,
    writer: ValueWriter<'a>,
}

enum ValueWriter<'a> {
    Plain(ArrayFormatter<'a>),
    Json(NullableEncoder<'a>),
}

impl<'a> Values<'a> {
    fn new(
        field: &'a FieldRef,
        array: &'a dyn Array,
        json: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        let options = FormatOptions::new()
            .with_display_error(false)
            .with_datetime_format(Some(DATE64));
        let writer = if array.data_type().is_nested() {
            ValueWriter::Json(make_encoder(field, array, json)?)
        } else {
            ValueWriter::Plain(ArrayFormatter::try_new(array, &options)?)
        };
        let nulls = array.logical_nulls();
        Ok(Self { nulls, writer })
    }

    /// Puts the text of a value into `text`; `false` for NULL.
    fn read(&mut self, row: usize, text: &mut String) -> Result<bool, ArrowError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        text.clear();
        match &mut self.writer {
            ValueWriter::Plain(formatter) => formatter.value(row).write(text)?,
            ValueWriter::Json(encoder) => {
                let mut bytes = std::mem::take(text).into_bytes();
                encoder.encode(row, &mut bytes);
                *text = String::from_utf8(bytes).expect("JSON is UTF-8");
            }
        }
        Ok(true)
    }
}

/// Quotes where RFC 4180 asks for it, and the empty text, which is not NULL.
fn push_field(line: &mut String, text: &str, delimiter: char) {
    let special = |c: char| c == delimiter || matches!(c, '"' | '\n' | '\r');
    if !text.is_empty() && !text.contains(special) {
        line.push_str(text);
        return;
    }
    write!(line, "\"{}\"", text.replace('"', "\"\"")).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{customers, nested, render, times};

    #[test]
    fn null_and_the_empty_text_differ() {
        let batch = customers();
        assert_eq!(
            render(Format::Csv, &batch.schema(), &[batch]),
            "id,name,spend,score\n\
             1,Żaneta Wójcik,1234.50,0.5\n\
             -9007199254740993,\"\",-0.05,NaN\n\
             3,,,\n\
             ,\"a,\"\"b\"\"\n|\t'c'\",99999999999999999999.99,-1e300\n"
        );
    }

    #[test]
    fn tsv_quotes_tabs_and_not_commas() {
        let batch = customers();
        assert_eq!(
            render(Format::Tsv, &batch.schema(), &[batch.slice(1, 3)]),
            "id\tname\tspend\tscore\n\
             -9007199254740993\t\"\"\t-0.05\tNaN\n\
             3\t\t\t\n\
             \t\"a,\"\"b\"\"\n|\t'c'\"\t99999999999999999999.99\t-1e300\n"
        );
    }

    #[test]
    fn an_empty_result_has_its_header_with_structs_flattened() {
        assert_eq!(
            render(Format::Csv, &customers().schema(), &[]),
            "id,name,spend,score\n"
        );
        assert_eq!(
            render(Format::Csv, &nested().schema(), &[]),
            "rfm.r,rfm.label.text,tags,limits\n"
        );
    }

    #[test]
    fn structs_are_columns_and_lists_are_json() {
        let batch = nested();
        assert_eq!(
            render(Format::Csv, &batch.schema(), &[batch]),
            "rfm.r,rfm.label.text,tags,limits\n\
             5,champions,\"[\"\"a\"\",\"\"b|c\"\",null]\",\"{\"\"7\"\":1.5}\"\n\
             ,,[],{}\n\
             ,,,\n"
        );
    }

    #[test]
    fn times_are_iso() {
        let batch = times();
        assert_eq!(
            render(Format::Csv, &batch.schema(), &[batch]),
            "day,day_ms,s,ms,us,ns,utc,warsaw,time\n\
             2026-01-31,2026-01-31,2026-01-31T12:30:00,2026-01-31T12:30:00.250,\
             2026-01-31T12:30:00.000001,2026-01-31T12:30:00.000000001,\
             2026-01-31T12:30:00Z,2026-01-31T13:30:00+01:00,12:30:00\n"
        );
    }
}
