//! The type of a column, guessed from its texts.
//!
//! Money with a decimal point is DECIMAL, never a float; digits with a leading
//! zero (post codes, telephone numbers) stay text. A value that nearly all
//! others contradict does not make a column text: reading it is an error that
//! names it, where text would only fail much later, or never.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

use super::shapes::{Number, NumberKind, TimeShape, is_code, is_digits};

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

/// One unreadable value among so many readable ones is a mistake.
const MANY: usize = 10;

/// Among so many when these tell what they are: nothing else looks like a day, a
/// moment, or money with its fraction.
const FEW: usize = 2;

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
        let times = |count: usize| count == self.times() && self.is_nearly_all(count, FEW);
        if !self.has_seen() {
            DataType::Utf8
        } else if self.is_nearly_all(self.booleans, MANY) {
            DataType::Boolean
        } else if self.digits == 0
            && self.is_nearly_all(self.numbers(), self.enough_numbers())
            && !self.are_codes()
        {
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

    /// One unreadable value among enough readable ones, or one in a hundred.
    fn is_nearly_all(&self, readable: usize, enough: usize) -> bool {
        let other = self.total() - readable;
        other == 0 || other == 1 && readable >= enough || other * 100 <= self.total()
    }

    /// Whole numbers may be codes; with fractions they are amounts.
    fn enough_numbers(&self) -> usize {
        match self.decimals >= FEW && self.codes == 0 {
            true => FEW,
            false => MANY,
        }
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
                let may_be_codes = matches!(
                    expected,
                    DataType::Int64 | DataType::Float64 | DataType::Boolean
                ) || stray == "12x" && value == "1.50";
                let small = match may_be_codes {
                    true => DataType::Utf8,
                    false => expected.clone(),
                };
                assert_eq!(mostly(value, 9, &[stray]), small, "{value} {stray}");
                assert_eq!(mostly(value, 2, &[stray]), small, "{value} {stray}");
            }
            assert_eq!(mostly(value, 1, &["unknown"]), DataType::Utf8);
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
