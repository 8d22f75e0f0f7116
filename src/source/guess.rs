//! The type of a column, guessed from its texts.
//!
//! Money with a decimal point is DECIMAL, never a float; digits with a leading
//! zero (post codes, telephone numbers) stay text. A value that nearly all
//! others contradict does not make a column text: reading it is an error that
//! names it, where text would only fail much later, or never.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

/// What the values of a column look like.
#[derive(Debug, Clone, Default)]
pub(super) struct Guess {
    booleans: usize,
    integers: usize,
    /// Whole numbers too long for BIGINT.
    long: usize,
    decimals: usize,
    floats: usize,
    dates: usize,
    local_times: usize,
    instants: usize,
    /// Digits that are no number: `00950`, `+48600100200`.
    digits: usize,
    /// Letters and digits in one word: `A17`, `12E5`.
    codes: usize,
    words: usize,
    scale: usize,
    whole_digits: usize,
}

/// Longer fractions are measurements, not money.
const MAX_MONEY_SCALE: usize = 6;

/// One unreadable value among so many readable ones is a mistake.
const MANY: usize = 10;

impl Guess {
    /// Takes a value into account.
    pub(super) fn see(&mut self, text: &str, null_text: &[String]) {
        let value = text.trim();
        if value.is_empty() || null_text.iter().any(|null| null == value) {
            return;
        }
        let count = if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
            &mut self.booleans
        } else if let Some(number) = Number::of(value) {
            self.scale = self.scale.max(number.scale);
            self.whole_digits = self.whole_digits.max(number.whole_digits);
            match number.kind {
                NumberKind::Integer => &mut self.integers,
                NumberKind::Long => &mut self.long,
                NumberKind::Decimal => &mut self.decimals,
                NumberKind::Float => &mut self.floats,
            }
        } else {
            match TimeShape::of(value) {
                Some(TimeShape::Date) => &mut self.dates,
                Some(TimeShape::Local) => &mut self.local_times,
                Some(TimeShape::Instant) => &mut self.instants,
                None if is_digits(value) => &mut self.digits,
                None if is_code(value) => &mut self.codes,
                None => &mut self.words,
            }
        };
        *count += 1;
    }

    /// Was there any value?
    pub(super) fn has_seen(&self) -> bool {
        self.total() > 0
    }

    fn total(&self) -> usize {
        self.booleans + self.numbers() + self.times() + self.digits + self.codes + self.words
    }

    fn numbers(&self) -> usize {
        self.integers + self.long + self.decimals + self.floats
    }

    fn times(&self) -> usize {
        self.dates + self.local_times + self.instants
    }

    /// The type that all values have, or nearly all.
    pub(super) fn data_type(&self) -> DataType {
        let micros = |zone: Option<&str>| {
            DataType::Timestamp(TimeUnit::Microsecond, zone.map(std::convert::Into::into))
        };
        // Days and moments in one column are neither.
        let times = |count: usize| count == self.times() && self.is_nearly_all(count);
        if !self.has_seen() {
            DataType::Utf8
        } else if self.is_nearly_all(self.booleans) {
            DataType::Boolean
        } else if self.digits == 0 && self.is_nearly_all(self.numbers()) && !self.are_codes() {
            self.number_type()
        } else if times(self.dates) {
            DataType::Date32
        } else if times(self.local_times) {
            micros(None)
        } else if times(self.instants) {
            micros(Some("UTC"))
        } else {
            DataType::Utf8
        }
    }

    /// One unreadable value among ten or more readable ones, or one in a hundred.
    fn is_nearly_all(&self, readable: usize) -> bool {
        let other = self.total() - readable;
        other == 0 || other == 1 && readable >= MANY || other * 100 <= self.total()
    }

    /// Several values like `A17` among numbers are codes, not mistakes.
    fn are_codes(&self) -> bool {
        let other = self.total() - self.numbers();
        other > 1 && self.codes * 2 > other
    }

    fn number_type(&self) -> DataType {
        // Room for a few more digits than were seen.
        let precision = (self.whole_digits + 4 + self.scale).max(18);
        let has_fractions = self.decimals + self.floats > 0;
        if !has_fractions && self.long == 0 {
            DataType::Int64
        } else if !has_fractions || self.floats > 0 && self.long > 0 {
            // Too long for a number type that would keep every digit.
            DataType::Utf8
        } else if self.floats == 0 && precision <= 38 {
            DataType::Decimal128(precision as u8, self.scale as i8)
        } else if self.long == 0 {
            DataType::Float64
        } else {
            DataType::Utf8
        }
    }
}

/// A value that is a number.
struct Number {
    kind: NumberKind,
    whole_digits: usize,
    scale: usize,
}

enum NumberKind {
    Integer,
    Long,
    Decimal,
    Float,
}

impl Number {
    fn of(value: &str) -> Option<Self> {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let is_plain = !whole.is_empty() && plain(whole) && plain(fraction);
        let kind = if is_plain && !digits.contains('.') {
            match value.parse::<i64>() {
                Ok(_) => NumberKind::Integer,
                Err(_) => NumberKind::Long,
            }
        } else if is_plain && fraction.len() <= MAX_MONEY_SCALE {
            NumberKind::Decimal
        } else if is_float_form(digits) && value.parse::<f64>().is_ok() {
            NumberKind::Float
        } else {
            return None;
        };
        Some(Self {
            kind,
            whole_digits: whole.len(),
            scale: fraction.len().min(MAX_MONEY_SCALE),
        })
    }
}

/// `12E5` is more often a code than a number: a float shows a point, or a sign
/// in its exponent.
fn is_float_form(digits: &str) -> bool {
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let has_point = digits.contains('.');
    let exponent_has_sign = digits.contains(['e', 'E']) && digits.contains(['+', '-']);
    starts && (has_point || exponent_has_sign)
}

/// Digits, perhaps with a sign and one point, that are no number.
fn is_digits(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    let points = unsigned.bytes().filter(|byte| *byte == b'.').count();
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    points <= 1 && unsigned.len() > points && unsigned.bytes().all(plain)
}

/// One word of letters and digits.
fn is_code(value: &str) -> bool {
    value.chars().any(char::is_alphabetic)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && !value.contains(char::is_whitespace)
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
        if !is_day(date) {
            return None;
        }
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

/// `2025-01-31`, and a day of the calendar. By hand: every value of a sample
/// comes along here.
fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes.get(range)?;
        let plain = digits.iter().all(u8::is_ascii_digit);
        plain.then(|| {
            digits
                .iter()
                .fold(0, |sum, it| sum * 10 + u32::from(it - b'0'))
        })
    };
    let parts = (number(0..4), number(5..7), number(8..10));
    let (Some(year), Some(month), Some(day)) = parts else {
        return false;
    };
    (bytes[4], bytes[7]) == (b'-', b'-')
        && chrono::NaiveDate::from_ymd_opt(year as i32, month, day).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess<'t>(values: impl IntoIterator<Item = &'t str>) -> DataType {
        let mut guess = Guess::default();
        for value in values {
            guess.see(value, &["N/A".to_owned()]);
        }
        guess.data_type()
    }

    fn micros(zone: Option<&str>) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into))
    }

    #[test]
    fn types_of_values() {
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
            (
                vec!["12345678901234567890", "0.5"],
                DataType::Decimal128(25, 1),
            ),
            (vec!["12345678901234567890", "1e-3"], DataType::Utf8),
            (vec!["Żółć", "1"], DataType::Utf8),
            (vec!["", ""], DataType::Utf8),
        ] {
            assert_eq!(guess(values.clone()), expected, "{values:?}");
        }
    }

    /// Nine or more of one kind, then others.
    fn mostly(value: &'static str, count: usize, others: &[&'static str]) -> DataType {
        let most = std::iter::repeat_n(value, count);
        guess(most.chain(others.iter().copied()))
    }

    #[test]
    fn a_stray_value_does_not_make_text() {
        for (value, expected) in [
            ("12", DataType::Int64),
            ("1.50", DataType::Decimal128(18, 2)),
            ("0.123456789", DataType::Float64),
            ("true", DataType::Boolean),
            ("2025-01-31", DataType::Date32),
            ("2025-01-31 10:00:00", micros(None)),
            ("2025-01-31 10:00:00Z", micros(Some("UTC"))),
        ] {
            for stray in ["?", "unknown", "12x", "1,5", "0000-00-00"] {
                assert_eq!(mostly(value, 10, &[stray]), expected, "{value} {stray}");
                assert_eq!(mostly(value, 9, &[stray]), DataType::Utf8);
            }
            assert_eq!(mostly(value, 198, &["?", "unknown"]), expected);
            assert_eq!(mostly(value, 197, &["?", "unknown"]), DataType::Utf8);
        }
    }

    #[test]
    fn codes_stay_text() {
        // A post code or telephone number shows what the whole column is.
        assert_eq!(mostly("12345", 1000, &["00950"]), DataType::Utf8);
        assert_eq!(mostly("600100200", 1000, &["+48600100201"]), DataType::Utf8);
        assert_eq!(mostly("1001", 1000, &["A17", "B-4"]), DataType::Utf8);
        assert_eq!(
            mostly("1001", 1000, &["12345678901234567890"]),
            DataType::Utf8
        );
        // Moments among days.
        let moment = "2025-01-31 10:00:00";
        assert_eq!(mostly("2025-01-31", 1000, &[moment]), DataType::Utf8);
    }
}
