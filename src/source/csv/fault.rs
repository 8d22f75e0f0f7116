//! What is wrong with a row of a CSV file, and where.

use std::path::Path;

use datafusion::arrow::datatypes::Field;

use super::records::Records;
use crate::error::Error;

/// One thing that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The row's first line, from 1.
    pub line: u64,
    /// The column, when it is one column's fault.
    pub column: Option<String>,
    /// The value as written.
    pub value: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The row as written.
    pub row: String,
    pub(super) position: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Length,
    Quote,
    Bytes,
    Value,
}

/// Longer values are cut in messages.
const SHOWN_CHARS: usize = 60;

impl Fault {
    /// A row with more or fewer fields than its file has columns.
    pub(in crate::source) fn length(records: &Records, expected: usize) -> Self {
        let found = records.len();
        let fields = if found == 1 { "field" } else { "fields" };
        let reason = format!("{found} {fields} where {expected} were expected");
        Self::of(records, None, reason, Kind::Length)
    }

    /// A last row that goes on to the end of the file within quotes.
    pub(in crate::source) fn unclosed(records: &Records) -> Self {
        Self::of(
            records,
            None,
            "a quote is not closed".to_owned(),
            Kind::Quote,
        )
    }

    /// Bytes that are no text.
    pub(in crate::source) fn bytes(
        records: &Records,
        position: usize,
        column: Option<&str>,
    ) -> Self {
        let field = (position < records.len()).then(|| records.field(position));
        Self {
            value: field.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            column: column.map(str::to_owned),
            ..Self::of(
                records,
                Some(position),
                "is not UTF-8 text".to_owned(),
                Kind::Bytes,
            )
        }
    }

    fn of(records: &Records, position: Option<usize>, reason: String, kind: Kind) -> Self {
        Self {
            line: records.line(),
            column: None,
            value: None,
            reason,
            row: String::from_utf8_lossy(records.raw()).into_owned(),
            position: position.unwrap_or(0),
            kind,
        }
    }

    /// A text that is no value of its column's type.
    pub(super) fn value(line: u64, position: usize, column: &Field, text: &str, row: &str) -> Self {
        Self {
            line,
            column: Some(column.name().clone()),
            value: Some(text.to_owned()),
            reason: super::values::reason(column.data_type()),
            row: row.to_owned(),
            position,
            kind: Kind::Value,
        }
    }

    /// As an error that says where, what and how to go on.
    pub(in crate::source) fn error(&self, path: &Path) -> Error {
        let place = format!("'{}', line {}", path.display(), self.line);
        match self.kind {
            Kind::Length => Error::new(format!("{place}: {}", self.reason))
                .hint("is the delimiter right? WITH (delimiter = ';') sets it")
                .hint("on_bad_row = 'reject' leaves such rows out and lists them in segql.rejects"),
            Kind::Quote => Error::new(format!(
                "{place}: a quote is not closed in the row that begins here"
            ))
            .hint("WITH (quote = …) sets what encloses a field"),
            Kind::Bytes => Error::new(format!("{place}: this is not UTF-8 text"))
                .hint("save the file as UTF-8"),
            Kind::Value => {
                let name = self.column.as_deref().unwrap_or_default();
                let value = shown(self.value.as_deref().unwrap_or_default());
                Error::new(format!(
                    "{place}, column '{name}': '{value}' {}",
                    self.reason
                ))
                .hint(format!(
                    "WITH (columns = '\"{}\" VARCHAR') takes the column as text, null_text = \
                     '{}' such a value as NULL, on_bad_row = 'reject' leaves such rows out",
                    name.replace('"', "\"\"").replace('\'', "''"),
                    value.replace('\'', "''")
                ))
            }
        }
    }
}

/// A value for a message: not too long, and in one line.
fn shown(value: &str) -> String {
    let value = value.trim();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = value.chars().take(SHOWN_CHARS).map(plain).collect();
    if value.chars().nth(SHOWN_CHARS).is_some() {
        text.push('…');
    }
    text
}
