//! The instant and zone that everything is evaluated at.

use std::fmt;

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc,
};
use chrono_tz::Tz;
use segql_udfs::Clock;

use crate::error::{Error, Result, suggest};

/// An instant in a time zone. A date stands for the end of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Nanoseconds since 1970 UTC; what happened at this very nanosecond counts.
    nanos: i64,
    zone: Tz,
    /// Was it given as a date, so that the whole day counts?
    whole_day: bool,
}

const EXAMPLES: &str =
    "write a date such as 2026-01-31, an instant, today, yesterday, -7d or last-month-end";

impl Moment {
    /// This instant.
    pub fn at(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            nanos: now.timestamp_nanos_opt().unwrap_or(i64::MAX),
            zone,
            whole_day: false,
        }
    }

    /// The end of a day.
    pub fn end_of(date: NaiveDate, zone: Tz) -> Result<Self> {
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        let clock = i32::try_from(days)
            .ok()
            .and_then(|days| Clock::end_of(days, zone.name()).ok())
            .ok_or_else(|| out_of_range(date))?;
        Ok(Self {
            nanos: clock.instant_nanos(),
            zone,
            whole_day: true,
        })
    }

    /// Reads what people write: a date, an instant, or a word relative to `now`.
    pub fn parse(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<Self> {
        let text = text.trim();
        let today = now.with_timezone(&zone).date_naive();
        if let Some(date) = relative(text, today) {
            return Self::end_of(date, zone);
        }
        if text == "now" {
            return Ok(Self::at(now, zone));
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Self::end_of(date, zone);
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
            return Ok(Self::at(instant.with_timezone(&Utc), zone));
        }
        for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
            let local = NaiveDateTime::parse_from_str(&text.replacen('T', " ", 1), format);
            if let Some(instant) = local.ok().and_then(|local| instant_of(local, zone)) {
                return Ok(Self::at(instant.with_timezone(&Utc), zone));
            }
        }
        Err(Error::usage(format!("as-of '{text}' is neither a date nor an instant")).hint(EXAMPLES))
    }

    /// Nanoseconds since 1970 UTC.
    pub fn nanos(&self) -> i64 {
        self.nanos
    }

    /// The zone dates are reckoned in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The date there.
    pub fn date(&self) -> NaiveDate {
        self.local(self.zone).date()
    }

    /// What clocks in a zone showed.
    pub fn local(&self, zone: Tz) -> NaiveDateTime {
        DateTime::from_timestamp_nanos(self.nanos)
            .with_timezone(&zone)
            .naive_local()
    }

    /// Does it take in all of its day?
    pub fn is_whole_day(&self) -> bool {
        self.whole_day
    }

    /// Is its day over at `now`? Only then can results no longer change.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.whole_day && self.nanos < now.timestamp_nanos_opt().unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole_day {
            true => write!(f, "{}", self.date()),
            false => write!(f, "{}", self.local(self.zone).format("%Y-%m-%d %H:%M:%S")),
        }
    }
}

fn out_of_range(date: NaiveDate) -> Error {
    Error::usage(format!("as-of {date} is out of range")).hint("dates from 1678 to 2261 work")
}

/// A time that clocks skipped is read by the offset before the gap, so that
/// 02:30 becomes 03:30; one that they showed twice is the first.
fn instant_of(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => Some(instant),
        LocalResult::None => {
            let before = zone.offset_from_utc_datetime(&(local - chrono::Duration::days(1)));
            let utc = local - before.fix();
            Some(utc.and_utc().with_timezone(&zone))
        }
    }
}

fn relative(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    match text.to_lowercase().as_str() {
        "today" => return Some(today),
        "yesterday" => return today.pred_opt(),
        "last-month-end" => return today.with_day(1)?.pred_opt(),
        _ => {}
    }
    let back = text.strip_prefix('-')?;
    let (number, unit) = back.split_at_checked(back.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    match unit {
        "d" => today.checked_sub_days(Days::new(number.into())),
        "w" => today.checked_sub_days(Days::new(u64::from(number) * 7)),
        "m" => today.checked_sub_months(Months::new(number)),
        "y" => today.checked_sub_months(Months::new(number.checked_mul(12)?)),
        _ => None,
    }
}

/// A time zone by its IANA name.
pub fn parse_zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        Error::usage(format!("time zone '{name}' is not known"))
            .hint_if(suggest(
                name,
                chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()),
            ))
            .hint("zones have names such as Europe/Warsaw, Europe/Sofia or UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        let now = "2026-03-29T10:00:00Z".parse().expect("an instant");
        Moment::parse(text, chrono_tz::Europe::Warsaw, now).expect("a moment")
    }

    #[test]
    fn words_and_dates() {
        for (text, date) in [
            ("today", "2026-03-29"),
            ("yesterday", "2026-03-28"),
            ("-7d", "2026-03-22"),
            ("-1m", "2026-02-28"),
            ("last-month-end", "2026-02-28"),
            ("2024-02-29", "2024-02-29"),
            ("2026-03-29T01:30:00Z", "2026-03-29"),
            ("2026-03-28T23:30:00Z", "2026-03-29"),
        ] {
            assert_eq!(moment(text).date().to_string(), date, "{text}");
        }
    }

    #[test]
    fn a_day_ends_at_its_local_midnight() {
        // 29 March 2026 has 23 hours in Warsaw and ends at 22:00 UTC.
        let end = "2026-03-29T22:00:00Z"
            .parse::<DateTime<Utc>>()
            .expect("an instant");
        assert_eq!(
            moment("2026-03-29").nanos() + 1,
            end.timestamp_nanos_opt().expect("fits")
        );
        assert!(!moment("today").is_over("2026-03-29T21:59:59Z".parse().expect("an instant")));
        assert!(moment("today").is_over("2026-03-29T22:00:00Z".parse().expect("an instant")));
    }

    #[test]
    fn a_skipped_time_is_read_by_the_offset_before() {
        let skipped = moment("2026-03-29 02:30").local(chrono_tz::UTC);
        assert_eq!(skipped.to_string(), "2026-03-29 01:30:00");
    }

    #[test]
    fn nonsense_is_named() {
        let now = Utc::now();
        for text in ["2026-02-30", "tomorow", "-7q", ""] {
            let error = Moment::parse(text, chrono_tz::UTC, now).expect_err(text);
            assert!(error.message().contains(text), "{error}");
        }
        let error = parse_zone("Europe/Warsav").expect_err("no such zone");
        assert!(error.to_string().contains("'Europe/Warsaw'"), "{error}");
    }
}
