//! What a single text looks like: a number, a day, a moment, a code.

/// Longer fractions are measurements, not money.
const MAX_MONEY_SCALE: usize = 6;

/// A value that is a number.
pub(super) struct Number {
    pub(super) kind: NumberKind,
    pub(super) whole_digits: usize,
    pub(super) scale: usize,
}

pub(super) enum NumberKind {
    Integer,
    Long,
    Decimal,
    Float,
}

impl Number {
    pub(super) fn of(value: &str) -> Option<Self> {
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
pub(super) fn is_digits(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    let points = unsigned.bytes().filter(|byte| *byte == b'.').count();
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    points <= 1 && unsigned.len() > points && unsigned.bytes().all(plain)
}

/// One word of letters and digits.
pub(super) fn is_code(value: &str) -> bool {
    value.chars().any(char::is_alphabetic)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && !value.contains(char::is_whitespace)
}

#[derive(Debug, PartialEq, Eq)]
/// A value that is a day or a moment.
pub(super) enum TimeShape {
    Date,
    Local,
    Instant,
}

impl TimeShape {
    /// ISO 8601 only: anything else is ambiguous between countries.
    pub(super) fn of(value: &str) -> Option<Self> {
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
        if !is_plain_time(&time[..zone]) {
            chrono::NaiveTime::parse_from_str(&time[..zone], "%H:%M:%S%.f").ok()?;
        }
        Some(match &time[zone..] {
            "" => Self::Local,
            _ => Self::Instant,
        })
    }
}

/// `10:00:00` or `10:00:00.123`; what else is a time takes longer to tell.
fn is_plain_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let below = |at: usize, limit: u8| match bytes.get(at..at + 2) {
        Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => {
            (tens - b'0') * 10 + (ones - b'0') < limit
        }
        _ => false,
    };
    let fraction = || match bytes[8..].split_first() {
        None => true,
        Some((b'.', digits)) => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        Some(_) => false,
    };
    bytes.len() >= 8
        && below(0, 24)
        && below(3, 60)
        && below(6, 60)
        && (bytes[2], bytes[5]) == (b':', b':')
        && fraction()
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
