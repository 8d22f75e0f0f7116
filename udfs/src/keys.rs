//! Keys as canonical text, so that 17 and '17' are one customer, and their hash.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Int64Type, UInt64Type,
};
use datafusion_common::{Result, exec_datafusion_err, internal_err};
use datafusion_expr::ReturnFieldArgs;

use crate::arguments::{Call, known, types};
use crate::math::calendar::date;
use crate::math::split::sixty_bits;
use crate::types::{is_number, is_text, plain, plain_or};

const UUID_BYTES: i32 = 16;

fn is_key(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Decimal32(_, scale) | Decimal64(_, scale) => *scale == 0,
        Decimal128(_, scale) | Decimal256(_, scale) => *scale == 0,
        FixedSizeBinary(bytes) => *bytes == UUID_BYTES,
        Null | Date32 | Date64 => true,
        other => other.is_integer() || is_text(other),
    }
}

/// Checks the types of a call `f(key, salt, number)`.
pub(crate) fn check_split(call: &Call, args: &ReturnFieldArgs<'_>, number: &str) -> Result<()> {
    let types = types(args);
    call.check_count(types.len(), 3..=3)?;
    let key = plain(types[0]);
    if !is_key(&key) {
        let cast = if is_number(&key) {
            "CAST(key AS BIGINT)"
        } else {
            "CAST(key AS TEXT)"
        };
        let mend = format!("write {}({cast}, salt, {number})", call.name);
        let needs = "a key with one way to write it (text, a whole number, a date or a UUID)";
        return Err(call.wrong_type(0, needs, types[0], &mend));
    }
    if !is_text(&plain_or(types[1], DataType::Utf8)) {
        return Err(call.wrong_type(
            1,
            "text as salt",
            types[1],
            "write a name, such as 'spring'",
        ));
    }
    if !is_number(&plain_or(types[2], DataType::Int64)) {
        let mend = format!("write {}", call.usage);
        return Err(call.wrong_type(2, &format!("a number as {number}"), types[2], &mend));
    }
    known(args, 1)
        .map_or(Ok(""), |salt| call.text("the salt", salt))
        .map(drop)
}

/// The types that the arguments of such a call are read as.
pub(crate) fn coerce_split(types: &[DataType]) -> Vec<DataType> {
    types.iter().map(plain).collect()
}

/// The first 60 bits of SHA-256 of `salt:key` for every key, NULL for NULL.
pub(crate) fn hashes(keys: &ArrayRef, salt: &str) -> Result<UInt64Array> {
    use DataType::*;
    let mut text = SaltedText::new(salt);
    match keys.data_type() {
        Null => Ok(UInt64Array::new_null(keys.len())),
        Utf8 => Ok(keys
            .as_string::<i32>()
            .iter()
            .map(|key| Some(text.hash_text(key?)))
            .collect()),
        LargeUtf8 => Ok(keys
            .as_string::<i64>()
            .iter()
            .map(|key| Some(text.hash_text(key?)))
            .collect()),
        Utf8View => Ok(keys
            .as_string_view()
            .iter()
            .map(|key| Some(text.hash_text(key?)))
            .collect()),
        UInt64 => text.hash_all(keys.as_primitive::<UInt64Type>()),
        integer if integer.is_integer() => {
            text.hash_all(cast(keys, &Int64)?.as_primitive::<Int64Type>())
        }
        Decimal256(_, 0) => text.hash_all(keys.as_primitive::<Decimal256Type>()),
        Decimal32(_, 0) | Decimal64(_, 0) | Decimal128(_, 0) => {
            let wide = cast(keys, &Decimal128(38, 0))?;
            text.hash_all(wide.as_primitive::<Decimal128Type>())
        }
        Date32 | Date64 => {
            let days = cast(keys, &Date32)?;
            days.as_primitive::<Date32Type>()
                .iter()
                .map(|day| text.hash_date(day))
                .collect()
        }
        FixedSizeBinary(UUID_BYTES) => Ok(keys
            .as_fixed_size_binary()
            .iter()
            .map(|key| Some(text.hash_uuid(key?)))
            .collect()),
        other => internal_err!("no key in {other}"),
    }
}

/// One buffer for all rows, so that no row allocates: the salt stays, the key is written anew.
struct SaltedText {
    buffer: Vec<u8>,
    salt: usize,
}

impl SaltedText {
    fn new(salt: &str) -> Self {
        let buffer = format!("{salt}:").into_bytes();
        Self {
            salt: buffer.len(),
            buffer,
        }
    }

    fn hash(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        self.buffer.truncate(self.salt);
        write(&mut self.buffer);
        sixty_bits(&self.buffer)
    }

    fn hash_text(&mut self, key: &str) -> u64 {
        self.hash(|buffer| buffer.extend_from_slice(key.as_bytes()))
    }

    fn hash_written(&mut self, key: impl std::fmt::Display) -> u64 {
        self.hash(|buffer| write!(buffer, "{key}").expect("writing to memory cannot fail"))
    }

    fn hash_all<T: arrow::array::ArrowPrimitiveType>(
        &mut self,
        keys: &arrow::array::PrimitiveArray<T>,
    ) -> Result<UInt64Array>
    where
        T::Native: std::fmt::Display,
    {
        Ok(keys
            .iter()
            .map(|key| Some(self.hash_written(key?)))
            .collect())
    }

    fn hash_date(&mut self, days: Option<i32>) -> Result<Option<u64>> {
        let Some(days) = days else { return Ok(None) };
        let date = date(days)
            .ok_or_else(|| exec_datafusion_err!("a key is a date more than 262,000 years away"))?;
        Ok(Some(self.hash_written(date)))
    }

    /// Hyphenated lower case, as PostgreSQL writes it.
    fn hash_uuid(&mut self, key: &[u8]) -> u64 {
        self.hash(|buffer| {
            for (at, byte) in key.iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    buffer.push(b'-');
                }
                write!(buffer, "{byte:02x}").expect("writing to memory cannot fail");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;
    use arrow::datatypes::i256;

    use super::*;

    fn hash(keys: impl Array + 'static) -> Vec<Option<u64>> {
        hashes(&(Arc::new(keys) as ArrayRef), "spring")
            .unwrap()
            .iter()
            .collect()
    }

    /// python3: int(hashlib.sha256(b"spring:17").hexdigest()[:15], 16)
    const SEVENTEEN: u64 = 678_531_380_183_203_537;

    #[test]
    fn seventeen_is_one_key_in_every_type() {
        let expected = [Some(SEVENTEEN), None];
        assert_eq!(hash(StringArray::from(vec![Some("17"), None])), expected);
        assert_eq!(
            hash(LargeStringArray::from(vec![Some("17"), None])),
            expected
        );
        assert_eq!(
            hash(StringViewArray::from(vec![Some("17"), None])),
            expected
        );
        assert_eq!(hash(Int8Array::from(vec![Some(17), None])), expected);
        assert_eq!(hash(Int64Array::from(vec![Some(17), None])), expected);
        assert_eq!(hash(UInt32Array::from(vec![Some(17), None])), expected);
        assert_eq!(hash(UInt64Array::from(vec![Some(17), None])), expected);
        let decimal = |values| {
            Decimal128Array::from(values)
                .with_precision_and_scale(20, 0)
                .unwrap()
        };
        assert_eq!(hash(decimal(vec![Some(17), None])), expected);
        let decimal = Decimal32Array::from(vec![Some(17), None])
            .with_precision_and_scale(9, 0)
            .unwrap();
        assert_eq!(hash(decimal), expected);
        let wide = Decimal256Array::from(vec![Some(i256::from(17)), None]);
        assert_eq!(
            hash(wide.with_precision_and_scale(60, 0).unwrap()),
            expected
        );
    }

    #[test]
    fn written_as_other_tools_write_them() {
        let same = |key: ArrayRef, text: &str| {
            let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
            assert_eq!(hashes(&key, "s").unwrap(), hashes(&text, "s").unwrap());
        };
        same(
            Arc::new(Int64Array::from(vec![i64::MIN])),
            "-9223372036854775808",
        );
        same(
            Arc::new(UInt64Array::from(vec![u64::MAX])),
            "18446744073709551615",
        );
        same(Arc::new(Date32Array::from(vec![19_782])), "2024-02-29");
        same(
            Arc::new(Date64Array::from(vec![19_782 * 86_400_000])),
            "2024-02-29",
        );
        let uuid: Vec<u8> = (0..16).map(|i| i * 17).collect();
        let uuid = FixedSizeBinaryArray::try_from_iter([uuid].into_iter()).unwrap();
        same(Arc::new(uuid), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn a_short_key_after_a_long_one_is_itself() {
        let both = hash(StringArray::from(vec![
            "a much longer key than the next",
            "17",
        ]));
        assert_eq!(both[1], Some(SEVENTEEN));
    }
}
