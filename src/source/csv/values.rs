//! The values of a column, from the texts that stand in a CSV file.
//!
//! Blanks around a value do not count and a blank field is NULL. Nothing that
//! was written is dropped: a digit that does not fit the scale, or a time of day
//! where a DATE is wanted, makes a value unreadable rather than another one.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::DataType;
use std::sync::Arc;

use crate::error::Result;
use crate::sql_type::sql_type_name;

/// A column's values, and the rows whose text is none.
pub(super) struct Values {
    pub(super) array: ArrayRef,
    pub(super) unreadable: Vec<usize>,
}

/// Reads texts as values of a type.
pub(super) fn read(texts: &ArrayRef, wanted: &DataType, null_text: &[String]) -> Result<Values> {
    if is_text(wanted) {
        let kept = without_blanks(texts, null_text, false);
        return Ok(Values {
            array: cast(&kept, wanted)?,
            unreadable: vec![],
        });
    }
    // Most columns hold nothing but plain values, which no trimming changes.
    if null_text.is_empty() {
        let values = parse(texts, wanted)?;
        if values.unreadable.is_empty() {
            return Ok(values);
        }
    }
    parse(&without_blanks(texts, null_text, true), wanted)
}

/// Why a text is no value of the type.
pub(super) fn reason(wanted: &DataType) -> String {
    match wanted {
        DataType::Decimal128(..) | DataType::Decimal256(..) => {
            format!("does not fit {}", sql_type_name(wanted))
        }
        other => format!("is no {}", sql_type_name(other)),
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8
    )
}

fn parse(texts: &ArrayRef, wanted: &DataType) -> Result<Values> {
    let safe = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let array = cast_with_options(texts, wanted, &safe)?;
    let texts = texts.as_string::<i32>();
    let mut unreadable = vec![];
    if array.null_count() != texts.null_count() || texts.iter().flatten().any(|it| cut(it, wanted))
    {
        let is_wrong = |row: &usize| {
            texts.is_valid(*row) && (array.is_null(*row) || cut(texts.value(*row), wanted))
        };
        unreadable = (0..texts.len()).filter(is_wrong).collect();
    }
    Ok(Values { array, unreadable })
}

/// Would the type keep only a part of what stands there?
fn cut(text: &str, wanted: &DataType) -> bool {
    match wanted {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
            fraction.len() > usize::try_from(*scale).unwrap_or(0)
                && fraction.trim_end_matches('0').len() > usize::try_from(*scale).unwrap_or(0)
        }
        DataType::Date32 | DataType::Date64 => {
            let time = text.get(10..).unwrap_or("");
            let midnight = |c: char| matches!(c, 'T' | ' ' | '0' | ':' | '.' | 'Z');
            !text.starts_with(['+', '-']) && !time.chars().all(midnight)
        }
        // A zone says another time than the clock alone.
        DataType::Timestamp(_, None) => {
            let time = text.get(10..).unwrap_or("");
            time.contains(['Z', 'z', '+', '-'])
        }
        _ => false,
    }
}

/// Blank texts and those for NULL become NULL; the others are trimmed if asked.
fn without_blanks(texts: &ArrayRef, null_text: &[String], trim: bool) -> ArrayRef {
    let array = texts.as_string::<i32>();
    let is_null = |trimmed: &str| trimmed.is_empty() || null_text.iter().any(|it| it == trimmed);
    let starts_blank = |text: &str| text.starts_with(char::is_whitespace);
    if !trim && null_text.is_empty() && !array.iter().flatten().any(starts_blank) {
        return Arc::clone(texts);
    }
    let mut kept = StringBuilder::with_capacity(array.len(), array.value_data().len());
    for text in array {
        let trimmed = text.map(str::trim);
        kept.append_option(match trimmed {
            Some(trimmed) if is_null(trimmed) => None,
            Some(trimmed) if trim => Some(trimmed),
            _ => text,
        });
    }
    let kept: StringArray = kept.finish();
    Arc::new(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(
        texts: &[&str],
        wanted: &DataType,
        null_text: &[String],
    ) -> (Vec<String>, Vec<usize>) {
        let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let read = read(&texts, wanted, null_text).expect("reads");
        let shown = cast(&read.array, &DataType::Utf8).expect("shows");
        let shown = shown.as_string::<i32>().iter();
        let shown = shown.map(|it| it.unwrap_or("NULL").to_owned()).collect();
        (shown, read.unreadable)
    }

    #[test]
    fn blanks_do_not_count() {
        let (shown, wrong) = values(&[" 1", "2 ", "", "\u{a0}3", "  "], &DataType::Int64, &[]);
        assert_eq!(shown, ["1", "2", "NULL", "3", "NULL"]);
        assert!(wrong.is_empty());
        let (shown, _) = values(&[" a", "  ", "\t"], &DataType::Utf8, &[]);
        assert_eq!(shown, [" a", "NULL", "NULL"]);
    }

    #[test]
    fn texts_for_null() {
        let nulls = ["7".to_owned(), "n/a".to_owned()];
        let (shown, wrong) = values(&["7", " n/a ", "8"], &DataType::Int64, &nulls);
        assert_eq!(shown, ["NULL", "NULL", "8"]);
        assert!(wrong.is_empty());
    }

    #[test]
    fn nothing_written_is_dropped() {
        let decimal = DataType::Decimal128(10, 2);
        let (_, wrong) = values(&["1.239", "1.2300", "1", "x"], &decimal, &[]);
        assert_eq!(wrong, [0, 3]);
        let days = ["2025-01-31 10:00:00", "2025-01-31 00:00:00", "2025-01-31"];
        let (_, wrong) = values(&days, &DataType::Date32, &[]);
        assert_eq!(wrong, [0]);
        let (_, wrong) = values(&["1", "1.5", "9223372036854775808"], &DataType::Int64, &[]);
        assert_eq!(wrong, [1, 2]);
    }
}
