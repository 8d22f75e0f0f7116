//! How long what no longer counts is kept: `24m`, `90d`, `10`.

use std::str::FromStr;

use chrono::{DateTime, Days, Months, Utc};

use crate::error::{Error, Result};

/// What `--keep` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// What is younger than so many days.
    Days(u32),
    /// What is younger than so many months of the calendar.
    Months(u32),
    /// The newest so many.
    Newest(usize),
}

impl Keep {
    /// Does it keep something of this age, the `place`th from the newest?
    pub(super) fn keeps(self, time: DateTime<Utc>, place: usize, now: DateTime<Utc>) -> bool {
        let since = match self {
            Keep::Days(days) => now.checked_sub_days(Days::new(days.into())),
            Keep::Months(months) => now.checked_sub_months(Months::new(months)),
            Keep::Newest(number) => return place < number,
        };
        since.is_none_or(|since| time >= since)
    }
}

impl FromStr for Keep {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("--keep '{text}' is neither a time nor a number"))
                .hint("write 90d, 8w, 24m, 2y, or how many of the newest to keep, such as 10")
        };
        let unit = text.chars().last().filter(|it| !it.is_ascii_digit());
        let digits = &text[..text.len() - unit.map_or(0, char::len_utf8)];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u32 = digits.parse().map_err(|_| wrong())?;
        let times = |factor: u32| number.checked_mul(factor).ok_or_else(wrong);
        Ok(match unit {
            None => Keep::Newest(number as usize),
            Some('d') => Keep::Days(number),
            Some('w') => Keep::Days(times(7)?),
            Some('m') => Keep::Months(number),
            Some('y') => Keep::Months(times(12)?),
            Some(_) => return Err(wrong()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_read() {
        let read = |text: &str| text.parse::<Keep>().ok();
        assert_eq!(read("90d"), Some(Keep::Days(90)));
        assert_eq!(read("8w"), Some(Keep::Days(56)));
        assert_eq!(read("24m"), Some(Keep::Months(24)));
        assert_eq!(read("2y"), Some(Keep::Months(24)));
        assert_eq!(read("10"), Some(Keep::Newest(10)));
        for wrong in [
            "",
            "d",
            "-1",
            "1.5d",
            "10h",
            "ten",
            "99999999999",
            "5ż",
            "+5",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let now = at("2026-03-31T12:00:00Z");
        // A month before is the last of February, at the same time of day.
        assert!(Keep::Months(1).keeps(at("2026-02-28T12:00:00Z"), 9, now));
        assert!(!Keep::Months(1).keeps(at("2026-02-28T11:59:59Z"), 0, now));
        assert!(Keep::Days(1).keeps(at("2026-03-30T12:00:00Z"), 9, now));
        assert!(!Keep::Days(1).keeps(at("2026-03-30T11:59:59Z"), 0, now));
        assert!(Keep::Newest(2).keeps(at("1990-01-01T00:00:00Z"), 1, now));
        assert!(!Keep::Newest(2).keeps(now, 2, now));
        assert!(Keep::Months(u32::MAX).keeps(at("1990-01-01T00:00:00Z"), 0, now));
    }
}
