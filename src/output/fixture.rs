//! Owns the results the renderers' tests share. Refuses to be part of the program.

use std::io::{self, Write};
use std::sync::Arc;

use datafusion::arrow::array::*;
use datafusion::arrow::datatypes::*;

use super::{Format, Options};

/// Takes `room` bytes, then fails as a pipe does whose reader has left.
pub(super) struct ClosedPipe {
    pub(super) room: usize,
}

impl Write for ClosedPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn render_bytes(format: Format, schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<u8> {
    render_with(format, &Options::default(), schema, batches)
}

pub(super) fn render(format: Format, schema: &SchemaRef, batches: &[RecordBatch]) -> String {
    String::from_utf8(render_bytes(format, schema, batches)).expect("text")
}

pub(super) fn table(options: &Options, batch: &RecordBatch) -> String {
    let bytes = render_with(
        Format::Table,
        options,
        &batch.schema(),
        std::slice::from_ref(batch),
    );
    String::from_utf8(bytes).expect("text")
}

fn render_with(
    format: Format,
    options: &Options,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut renderer = format
        .renderer(schema.clone(), options, Box::new(&mut bytes))
        .expect("a renderer");
    for batch in batches {
        renderer.batch(batch).expect("rendered");
    }
    renderer.finish().expect("finished");
    bytes
}

pub(super) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("columns of one length")
}

pub(super) fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// NULL and '', letters beyond ASCII, whatever CSV quotes, decimals, large and negative numbers.
pub(super) fn customers() -> RecordBatch {
    let spend = [
        Some(123_450),
        Some(-5),
        None,
        Some(9_999_999_999_999_999_999_999),
    ];
    let spend = Decimal128Array::from_iter(spend)
        .with_precision_and_scale(22, 2)
        .expect("digits that fit");
    let names = [
        Some("Żaneta Wójcik"),
        Some(""),
        None,
        Some("a,\"b\"\n|\t'c'"),
    ];
    batch(vec![
        (
            "id",
            Arc::new(Int64Array::from(vec![
                Some(1),
                Some(-9_007_199_254_740_993),
                Some(3),
                None,
            ])),
        ),
        ("name", Arc::new(StringArray::from(names.to_vec()))),
        ("spend", Arc::new(spend)),
        (
            "score",
            Arc::new(Float64Array::from(vec![
                Some(0.5),
                Some(f64::NAN),
                None,
                Some(-1e300),
            ])),
        ),
    ])
}

/// A struct in a struct, a list, a map with whole-number keys; full, empty or NULL.
pub(super) fn nested() -> RecordBatch {
    let label = StructArray::new(
        Fields::from(vec![Field::new("text", DataType::Utf8, true)]),
        vec![Arc::new(StringArray::from(vec![
            "champions",
            "hidden",
            "hidden",
        ]))],
        Some(vec![true, true, false].into()),
    );
    let fields = vec![
        Field::new("r", DataType::Int32, true),
        Field::new("label", label.data_type().clone(), true),
    ];
    let r = Int32Array::from(vec![Some(5), Some(4), None]);
    let rfm = StructArray::new(
        fields.into(),
        vec![Arc::new(r), Arc::new(label)],
        Some(vec![true, false, true].into()),
    );
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), Some("b|c"), None]);
    tags.append(true);
    tags.append(false);
    let mut limits = MapBuilder::new(None, Int32Builder::new(), Float64Builder::new());
    limits.keys().append_value(7);
    limits.values().append_value(1.5);
    for valid in [true, true, false] {
        limits.append(valid).expect("as many keys as values");
    }
    batch(vec![
        ("rfm", Arc::new(rfm)),
        ("tags", Arc::new(tags.finish())),
        ("limits", Arc::new(limits.finish())),
    ])
}

/// The same instant in every type for times.
pub(super) fn times() -> RecordBatch {
    const DAY: i32 = 20_484;
    const SECOND: i64 = 1_769_862_600;
    let instant = || TimestampSecondArray::from(vec![SECOND]);
    batch(vec![
        ("day", Arc::new(Date32Array::from(vec![DAY]))),
        (
            "day_ms",
            Arc::new(Date64Array::from(vec![i64::from(DAY) * 86_400_000])),
        ),
        ("s", Arc::new(instant())),
        (
            "ms",
            Arc::new(TimestampMillisecondArray::from(vec![SECOND * 1000 + 250])),
        ),
        (
            "us",
            Arc::new(TimestampMicrosecondArray::from(vec![
                SECOND * 1_000_000 + 1,
            ])),
        ),
        (
            "ns",
            Arc::new(TimestampNanosecondArray::from(vec![
                SECOND * 1_000_000_000 + 1,
            ])),
        ),
        ("utc", Arc::new(instant().with_timezone("UTC"))),
        ("warsaw", Arc::new(instant().with_timezone("Europe/Warsaw"))),
        (
            "time",
            Arc::new(Time32SecondArray::from(vec![12 * 3600 + 30 * 60])),
        ),
    ])
}
