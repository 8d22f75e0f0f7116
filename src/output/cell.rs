//! Owns how one value looks to people, in tables and Markdown: one line that
//! cannot move the cursor. Refuses frames, widths and colours.
//!
//! NULL is shown as `NULL`, the empty text as nothing, and a text that itself
//! reads NULL in quotes, `'NULL'`, so that no two of them look the same. Inside
//! lists, maps and structs texts are quoted.

use std::io;

use datafusion::arrow::array::Array;
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::arrow_error;

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// NULL, or a name for people rather than a value: dimmed where there is colour.
    pub(super) is_dim: bool,
}

impl Cell {
    pub(super) fn plain(text: &str) -> Self {
        let text = text.to_owned();
        Self {
            text,
            is_dim: false,
        }
    }

    pub(super) fn dim(text: &str) -> Self {
        let text = text.to_owned();
        Self { text, is_dim: true }
    }
}

/// The cells of one column of one batch.
pub(super) struct Cells<'a> {
    formatter: ArrayFormatter<'a>,
    nulls: Option<NullBuffer>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(array: &'a dyn Array) -> io::Result<Self> {
        let options = FormatOptions::new()
            .with_null("NULL")
            .with_quoted_strings(array.data_type().is_nested())
            .with_datetime_format(Some("%Y-%m-%d"))
            .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
            .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
        Ok(Self {
            formatter: ArrayFormatter::try_new(array, &options).map_err(arrow_error)?,
            nulls: array.logical_nulls(),
        })
    }

    pub(super) fn get(&self, row: usize) -> Cell {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Cell::dim("NULL");
        }
        let text = self.formatter.value(row).to_string();
        if text.trim_matches('\'') == "NULL" {
            Cell::plain(&format!("'{text}'"))
        } else {
            Cell::plain(&escape_control(&text))
        }
    }
}

/// Whether values of the type stand at the right, digit under digit.
pub(super) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_number(value),
        other => other.is_numeric(),
    }
}

/// The text with whatever moves the cursor, ends the line, or turns the
/// direction of writing shown as an escape.
pub(super) fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("\\x{:02x}", u32::from(c))),
            // C1 controls, then line separators, marks and overrides of direction.
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => escaped.push_str(&c.escape_unicode().to_string()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{nested, times};
    use super::*;
    use datafusion::arrow::array::StringArray;

    fn shown(array: &dyn Array) -> Vec<String> {
        let cells = Cells::new(array).unwrap();
        (0..array.len()).map(|row| cells.get(row).text).collect()
    }

    #[test]
    fn null_the_empty_text_and_the_word_differ() {
        let array = StringArray::from(vec![
            None,
            Some(""),
            Some("NULL"),
            Some("'NULL'"),
            Some("NULLs"),
        ]);
        assert_eq!(shown(&array), ["NULL", "", "'NULL'", "''NULL''", "NULLs"]);
        let cells = Cells::new(&array).unwrap();
        assert!(cells.get(0).is_dim && !cells.get(2).is_dim);
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let array = StringArray::from(vec![
            "a\nb\r\tc",
            "\x1b[2Jx\x07\x7f",
            "\u{9b}31m",
            "\u{202e}abc\u{2028}",
            "zażółć",
        ]);
        assert_eq!(
            shown(&array),
            [
                r"a\nb\r\tc",
                r"\x1b[2Jx\x07\x7f",
                r"\u{9b}31m",
                r"\u{202e}abc\u{2028}",
                "zażółć"
            ]
        );
    }

    #[test]
    fn nested_values_quote_their_texts() {
        let batch = nested();
        assert_eq!(
            shown(batch.column(0)),
            [
                "{r: 5, label: {text: \"champions\"}}",
                "NULL",
                "{r: NULL, label: NULL}"
            ]
        );
        assert_eq!(
            shown(batch.column(1)),
            ["[\"a\", \"b|c\", NULL]", "[]", "NULL"]
        );
        assert_eq!(shown(batch.column(2)), ["{7: 1.5}", "{}", "NULL"]);
    }

    #[test]
    fn times_read_as_sql_writes_them() {
        let batch = times();
        let row: Vec<_> = batch
            .columns()
            .iter()
            .flat_map(|column| shown(column))
            .collect();
        assert_eq!(
            row,
            [
                "2026-01-31",
                "2026-01-31",
                "2026-01-31 12:30:00",
                "2026-01-31 12:30:00.250",
                "2026-01-31 12:30:00.000001",
                "2026-01-31 12:30:00.000000001",
                "2026-01-31 12:30:00+00:00",
                "2026-01-31 13:30:00+01:00",
                "12:30:00"
            ]
        );
    }
}
