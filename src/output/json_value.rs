//! Owns how one Arrow value is written as JSON: the rules for NULL, NaN,
//! decimals and times, and maps whose keys are not text. Refuses documents.
//!
//! Whole numbers and decimals are JSON numbers with every digit (`12.50`); a
//! reader that takes numbers for floats rounds them itself. NaN and infinities
//! are `null`, dates and times ISO 8601 strings, bytes hexadecimal strings.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, MapArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{NullableEncoder, make_encoder};
use datafusion::arrow::json::{Encoder, EncoderFactory, EncoderOptions, WriterBuilder};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// The ISO form of the Arrow type for days counted in milliseconds.
pub(super) const DATE64: &str = "%Y-%m-%d";

/// Turns map keys of every type into the strings JSON demands.
#[derive(Debug)]
struct MapKeys;

impl EncoderFactory for MapKeys {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let DataType::Map(_, _) = array.data_type() else {
            return Ok(None);
        };
        let map = array.as_map();
        let encoder = Map {
            map,
            keys: ArrayFormatter::try_new(map.keys(), &FormatOptions::new())?,
            values: make_encoder(field, map.values(), options)?,
        };
        Ok(Some(NullableEncoder::new(
            Box::new(encoder),
            map.nulls().cloned(),
        )))
    }
}

struct Map<'a> {
    map: &'a MapArray,
    keys: ArrayFormatter<'a>,
    values: NullableEncoder<'a>,
}

impl Encoder for Map<'_> {
    fn encode(&mut self, index: usize, out: &mut Vec<u8>) {
        let offsets = self.map.value_offsets();
        let (start, end) = (offsets[index] as usize, offsets[index + 1] as usize);
        out.push(b'{');
        for entry in start..end {
            if entry > start {
                out.push(b',');
            }
            let key = serde_json::Value::String(self.keys.value(entry).to_string());
            out.extend_from_slice(key.to_string().as_bytes());
            out.push(b':');
            if self.values.is_null(entry) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(entry, out);
            }
        }
        out.push(b'}');
    }
}

/// The rules above for single values.
pub(super) fn rules() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_datetime_format(DATE64.to_owned())
        .with_encoder_factory(Arc::new(MapKeys))
}

/// The same rules for documents.
pub(super) fn document_rules() -> WriterBuilder {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_datetime_format(DATE64.to_owned())
        .with_encoder_factory(Arc::new(MapKeys))
}
