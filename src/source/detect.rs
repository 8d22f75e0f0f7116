//! Names and types of a CSV file's columns, from its first megabytes.
//!
//! A type is taken only when every value seen has it. Money with a decimal
//! point is DECIMAL, never a float; digits with a leading zero (post codes,
//! telephone numbers) stay text.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::ByteRecord;
use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

use super::format::{CsvShape, Encoding};
use crate::error::{Error, Result};

/// How much of a file is looked at.
const SAMPLE_BYTES: u64 = 16 << 20;

/// How long a header may be.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// A column as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DetectedColumn {
    pub(super) field: Field,
    /// Values stand between blanks, so they must be trimmed before they parse.
    pub(super) padded: bool,
}

/// Looks at the head of a file.
pub(super) fn detect(
    path: &Path,
    encoding: &Encoding,
    shape: CsvShape,
    null_text: &[String],
) -> Result<Vec<DetectedColumn>> {
    let shown = path.display();
    let failed = |error: String| Error::new(format!("cannot read '{shown}': {error}"));
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let unpacked = FileCompressionType::from(encoding.compression)
        .convert_read(file)
        .map_err(|error| failed(error.to_string()))?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(shape.delimiter)
        .quote(shape.quote)
        .has_headers(false)
        .from_reader(unpacked.take(SAMPLE_BYTES));
    let mut record = ByteRecord::new();
    let mut more = read(&mut reader, &mut record, path)?;
    if !more {
        return Err(Error::new(format!("'{shown}' is empty"))
            .hint("a CSV file needs at least a line with the names of its columns"));
    }
    let names = names(&record, shape.header, path)?;
    if shape.header {
        more = read(&mut reader, &mut record, path)?;
    }
    let mut guesses = vec![Guess::default(); names.len()];
    while more {
        let start = reader.position().byte();
        // The sample may end in the middle of a value.
        if start >= SAMPLE_BYTES {
            break;
        }
        for (guess, value) in guesses.iter_mut().zip(record.iter()) {
            let value = std::str::from_utf8(value).map_err(|_| {
                let line = record.position().map_or(0, csv::Position::line);
                not_utf8(path, line)
            })?;
            guess.see(value, null_text);
        }
        more = read(&mut reader, &mut record, path)?;
    }
    Ok(names
        .into_iter()
        .zip(guesses)
        .map(|(name, guess)| DetectedColumn {
            field: Field::new(name, guess.data_type(), true),
            padded: guess.padded,
        })
        .collect())
}

/// What parts the fields of a file's first line: the mark that stands in it
/// most often outside quotes; a comma where none does.
pub(super) fn delimiter(path: &Path, encoding: &Encoding) -> u8 {
    let unpacked = File::open(path).ok().and_then(|file| {
        let compression = FileCompressionType::from(encoding.compression);
        compression.convert_read(file).ok()
    });
    let mut line = String::new();
    if let Some(unpacked) = unpacked {
        let head = unpacked.take(MAX_HEADER_BYTES);
        // What is not UTF-8 is said when the file is looked into.
        let _ = BufReader::new(head).read_line(&mut line);
    }
    let outside: String = line.split('"').step_by(2).collect();
    let count = |mark: &u8| outside.bytes().filter(|byte| byte == mark).count();
    let marks = [b'|', b'\t', b';', b','];
    let most = marks.iter().max_by_key(|mark| count(mark));
    most.filter(|mark| count(mark) > 0).copied().unwrap_or(b',')
}

fn read<R: Read>(
    reader: &mut csv::Reader<R>,
    record: &mut ByteRecord,
    path: &Path,
) -> Result<bool> {
    reader.read_byte_record(record).or_else(|error| {
        let place = error.position().map_or(0, csv::Position::line);
        match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } if reader.position().byte() < SAMPLE_BYTES => Err(Error::new(format!(
                "'{}', line {place}: {len} fields where {expected_len} were expected",
                path.display()
            ))
            .hint("is the delimiter right? WITH (delimiter = ';') sets it")),
            csv::ErrorKind::UnequalLengths { .. } => Ok(false),
            _ => Err(Error::new(format!("'{}': {error}", path.display()))),
        }
    })
}

fn not_utf8(path: &Path, line: u64) -> Error {
    Error::new(format!(
        "'{}', line {line}: this is not UTF-8 text",
        path.display()
    ))
    .hint("save the file as UTF-8")
}

fn names(record: &ByteRecord, header: bool, path: &Path) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    record
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let name = match std::str::from_utf8(value) {
                Ok(name) if header && !name.trim().is_empty() => name.trim().to_owned(),
                Ok(_) => format!("column_{}", index + 1),
                Err(_) => return Err(not_utf8(path, 1)),
            };
            match seen.insert(name.clone()) {
                true => Ok(name),
                false => Err(Error::new(format!(
                    "'{}' has two columns called '{name}'",
                    path.display()
                ))),
            }
        })
        .collect()
}

/// What the values of a column could be; narrowed by every value.
#[derive(Debug, Clone)]
struct Guess {
    seen: bool,
    padded: bool,
    boolean: bool,
    integer: bool,
    decimal: bool,
    float: bool,
    date: bool,
    local_time: bool,
    instant: bool,
    scale: i8,
    whole_digits: usize,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            seen: false,
            padded: false,
            boolean: true,
            integer: true,
            decimal: true,
            float: true,
            date: true,
            local_time: true,
            instant: true,
            scale: 0,
            whole_digits: 0,
        }
    }
}

/// Longer fractions are measurements, not money.
const MAX_MONEY_SCALE: usize = 6;

impl Guess {
    fn see(&mut self, text: &str, null_text: &[String]) {
        let value = text.trim();
        if value.is_empty() || null_text.iter().any(|null| null == value) {
            return;
        }
        self.seen = true;
        self.padded |= value.len() != text.len();
        self.boolean &= value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
        self.see_number(value);
        let shape = TimeShape::of(value);
        self.date &= shape == Some(TimeShape::Date);
        self.local_time &= shape == Some(TimeShape::Local);
        self.instant &= shape == Some(TimeShape::Instant);
    }

    fn see_number(&mut self, value: &str) {
        if !(self.integer || self.decimal || self.float) {
            return;
        }
        let digits = value.strip_prefix('-').unwrap_or(value);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let numeric = !whole.is_empty() && plain(whole) && plain(fraction) && !leading_zero;
        let has_point = digits.contains('.');
        self.integer &= numeric && !has_point && value.parse::<i64>().is_ok();
        self.decimal &= numeric && fraction.len() <= MAX_MONEY_SCALE;
        self.float &= !leading_zero
            && !value.starts_with('+')
            && is_float_form(digits)
            && value.parse::<f64>().is_ok();
        self.scale = self.scale.max(fraction.len().min(MAX_MONEY_SCALE) as i8);
        self.whole_digits = self.whole_digits.max(whole.len());
    }

    fn data_type(&self) -> DataType {
        // Room for a few more digits than were seen.
        let precision = (self.whole_digits + 4 + self.scale as usize).max(18) as u8;
        match self {
            Self { seen: false, .. } => DataType::Utf8,
            Self { boolean: true, .. } => DataType::Boolean,
            Self { integer: true, .. } => DataType::Int64,
            Self { decimal: true, .. } if precision <= 38 && self.scale > 0 => {
                DataType::Decimal128(precision, self.scale)
            }
            Self {
                decimal: true,
                scale: 0,
                ..
            } => DataType::Utf8,
            Self { float: true, .. } => DataType::Float64,
            Self { date: true, .. } => DataType::Date32,
            Self {
                local_time: true, ..
            } => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self { instant: true, .. } => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            _ => DataType::Utf8,
        }
    }
}

/// `12E5` is more often a code than a number: a float shows a point, or a sign
/// in its exponent.
fn is_float_form(digits: &str) -> bool {
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let mantissa_has_point = digits.contains('.');
    let exponent_has_sign = digits.contains(['e', 'E']) && digits.contains(['+', '-']);
    starts
        && (mantissa_has_point
            || exponent_has_sign
            || digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() < 19)
}

#[derive(Debug, PartialEq, Eq)]
enum TimeShape {
    Date,
    Local,
    Instant,
}

impl TimeShape {
    /// ISO 8601 only: anything else is ambiguous between countries.
    fn of(value: &str) -> Option<Self> {
        let (date, time) = match value.split_at_checked(10)? {
            (date, "") => (date, None),
            (date, rest) => (date, rest.strip_prefix([' ', 'T'])),
        };
        date.parse::<chrono::NaiveDate>().ok()?;
        if date.len() == value.len() {
            return Some(Self::Date);
        }
        let time = time?;
        let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
        chrono::NaiveTime::parse_from_str(&time[..zone], "%H:%M:%S%.f").ok()?;
        Some(match &time[zone..] {
            "" => Self::Local,
            _ => Self::Instant,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> DataType {
        let mut guess = Guess::default();
        for value in values {
            guess.see(value, &["N/A".to_owned()]);
        }
        guess.data_type()
    }

    #[test]
    fn types_of_values() {
        let micros =
            |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (values, expected) in [
            (vec!["1", "-22", ""], DataType::Int64),
            (vec!["1", "2.50", "N/A"], DataType::Decimal128(18, 2)),
            (vec!["00-950", "0171"], DataType::Utf8),
            (vec!["0171", "12"], DataType::Utf8),
            (vec!["0", "12"], DataType::Int64),
            (vec!["52.22967563", "21.0122287"], DataType::Float64),
            (vec!["1e+5", "2"], DataType::Float64),
            (vec!["12E5", "34E7"], DataType::Utf8),
            (vec!["nan", "inf"], DataType::Utf8),
            (vec!["TRUE", "false"], DataType::Boolean),
            (vec!["2025-01-31", ""], DataType::Date32),
            (vec!["2025-02-30"], DataType::Utf8),
            (vec!["2025-01-31 10:00:00"], micros(None)),
            (vec!["2025-01-31T10:00:00.5Z"], micros(Some("UTC"))),
            (vec!["2025-01-31", "2025-01-31 10:00:00"], DataType::Utf8),
            (vec!["31.01.2025"], DataType::Utf8),
            (vec!["12345678901234567890"], DataType::Utf8),
            (vec!["Żółć", "1"], DataType::Utf8),
            (vec!["", ""], DataType::Utf8),
        ] {
            assert_eq!(guess(&values), expected, "{values:?}");
        }
    }
}
