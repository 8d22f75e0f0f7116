//! Days and instants in a time zone, with daylight saving: which local day an instant lies in,
//! and which instant a local wall-clock time means.
//!
//! Both directions remember the last local day, so that a run of values within one day costs
//! integer comparisons instead of a look-up in the time zone database.

use std::ops::Range;

use arrow::array::timezone::Tz;
use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
};
use datafusion_common::{Result, exec_datafusion_err, plan_datafusion_err};

/// Seconds in a day of a clock that never changes.
pub(crate) const DAY_SECONDS: i64 = 86_400;
/// Nanoseconds in a second.
pub(crate) const SECOND_NANOS: i64 = 1_000_000_000;

const EPOCH_FROM_CE: i32 = 719_163;

/// Reads an IANA time zone name such as `Europe/Warsaw`, or an offset such as `+02:00`.
pub(crate) fn parse_zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        plan_datafusion_err!(
            "unknown time zone '{name}'; write an IANA name such as 'Europe/Warsaw', or 'UTC'"
        )
    })
}

/// The date that lies `days` after 1970-01-01.
pub(crate) fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH_FROM_CE)?)
}

/// Days since 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH_FROM_CE
}

/// The UTC second that `local` means in `zone`: a time in a gap is shifted forward by the gap,
/// of an ambiguous pair the earlier is taken (as in java.time and Temporal).
pub(crate) fn local_to_utc(zone: &Tz, local: NaiveDateTime) -> i64 {
    resolve(zone, local).earliest
}

/// The first UTC second after the local day `days`. Where clocks show midnight twice the day ends
/// at the second one only if it was still that day in between: turned back from 0:01 to 23:01 it
/// was, from 1:00 to 0:00 it was not.
pub(crate) fn end_of_day(zone: &Tz, days: i32) -> Result<i64> {
    let next = midnight(i64::from(days) + 1)?;
    let Resolved { earliest, latest } = resolve(zone, next);
    let before = DateTime::from_timestamp(latest - 1, 0);
    let is_still_the_day =
        before.is_some_and(|before| before.with_timezone(zone).naive_local() < next);
    Ok(if is_still_the_day { latest } else { earliest })
}

struct Resolved {
    earliest: i64,
    latest: i64,
}

fn resolve(zone: &Tz, local: NaiveDateTime) -> Resolved {
    let seconds = local.and_utc().timestamp();
    let utc = |offset: i32| seconds - i64::from(offset);
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) => {
            let utc = utc(offset.fix().local_minus_utc());
            Resolved {
                earliest: utc,
                latest: utc,
            }
        }
        LocalResult::Ambiguous(a, b) => {
            let (a, b) = (
                utc(a.fix().local_minus_utc()),
                utc(b.fix().local_minus_utc()),
            );
            Resolved {
                earliest: a.min(b),
                latest: a.max(b),
            }
        }
        LocalResult::None => {
            // No zone is further than a day from UTC, so a day earlier is before the gap.
            let before = local
                .checked_sub_signed(TimeDelta::days(1))
                .unwrap_or(local);
            let utc = utc(zone
                .offset_from_utc_datetime(&before)
                .fix()
                .local_minus_utc());
            Resolved {
                earliest: utc,
                latest: utc,
            }
        }
    }
}

fn midnight(days: i64) -> Result<NaiveDateTime> {
    from_seconds(days.saturating_mul(DAY_SECONDS))
}

fn from_seconds(seconds: i64) -> Result<NaiveDateTime> {
    DateTime::from_timestamp(seconds, 0)
        .map(|at| at.naive_utc())
        .ok_or_else(|| exec_datafusion_err!("a date or time lies more than 262,000 years away"))
}

/// Finds the local day of instants.
pub(crate) struct LocalDays {
    zone: Tz,
    /// The UTC seconds of `day`; empty where nothing is known yet or midnight is unclear.
    known: Range<i64>,
    day: i64,
}

impl LocalDays {
    pub(crate) fn new(zone: Tz) -> Self {
        Self {
            zone,
            known: 0..0,
            day: 0,
        }
    }

    /// The local day, counted from 1970-01-01, of an instant in UTC seconds.
    #[inline]
    pub(crate) fn day_of(&mut self, seconds: i64) -> Result<i64> {
        if !self.known.contains(&seconds) {
            self.look_up(seconds)?;
        }
        Ok(self.day)
    }

    fn look_up(&mut self, seconds: i64) -> Result<()> {
        let day = local_day(&self.zone, seconds)?;
        let near = day.abs_diff(self.day) <= 1;
        self.day = day;
        // The bounds cost four more look-ups, wasted where instants come in no order.
        self.known = if near { self.bounds()? } else { 0..0 };
        Ok(())
    }

    /// The UTC seconds of `day`, empty where they are not one range: a clock set back over
    /// midnight makes the local date go back, too.
    fn bounds(&self) -> Result<Range<i64>> {
        let start = resolve(&self.zone, midnight(self.day)?);
        let end = resolve(&self.zone, midnight(self.day + 1)?);
        let single = start.earliest == start.latest && end.earliest == end.latest;
        let whole = start.earliest..end.earliest;
        if !single || whole.is_empty() {
            return Ok(0..0);
        }
        let ends = [whole.start, whole.end - 1].map(|at| local_day(&self.zone, at));
        let one_day = ends
            .into_iter()
            .all(|day| day.is_ok_and(|day| day == self.day));
        Ok(if one_day { whole } else { 0..0 })
    }
}

fn local_day(zone: &Tz, seconds: i64) -> Result<i64> {
    let utc = from_seconds(seconds)?;
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    Ok((seconds + i64::from(offset)).div_euclid(DAY_SECONDS))
}

/// Finds the instants that local wall-clock times mean.
pub(crate) struct LocalTimes {
    zone: Tz,
    day: i64,
    /// The offset in seconds that holds throughout `day`, where that is known.
    offset: Option<i64>,
}

impl LocalTimes {
    pub(crate) fn new(zone: Tz) -> Self {
        Self {
            zone,
            day: 0,
            offset: None,
        }
    }

    /// The UTC second of a local time given in seconds since 1970-01-01 00:00 on that clock.
    #[inline]
    pub(crate) fn utc(&mut self, local_seconds: i64) -> Result<i64> {
        let day = local_seconds.div_euclid(DAY_SECONDS);
        match self.offset {
            Some(offset) if self.day == day => Ok(local_seconds - offset),
            _ => self.look_up(local_seconds, day),
        }
    }

    fn look_up(&mut self, local_seconds: i64, day: i64) -> Result<i64> {
        let near = day.abs_diff(self.day) <= 1;
        self.day = day;
        // As for instants: remembering pays only where times come in order.
        self.offset = if near { self.steady_offset()? } else { None };
        match self.offset {
            Some(offset) => Ok(local_seconds - offset),
            None => Ok(local_to_utc(&self.zone, from_seconds(local_seconds)?)),
        }
    }

    /// The offset of `day`, if the clocks do not change in it.
    fn steady_offset(&self) -> Result<Option<i64>> {
        let start = resolve(&self.zone, midnight(self.day)?);
        let end = resolve(&self.zone, midnight(self.day + 1)?);
        let single = start.earliest == start.latest && end.earliest == end.latest;
        let steady = single && end.earliest - start.earliest == DAY_SECONDS;
        Ok(steady.then_some(self.day * DAY_SECONDS - start.earliest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    fn seconds(text: &str) -> i64 {
        at(text).and_utc().timestamp()
    }

    fn day(text: &str) -> i64 {
        seconds(&format!("{text} 00:00:00")) / DAY_SECONDS
    }

    #[test]
    fn dates_count_from_1970() {
        assert_eq!(date(0), NaiveDate::from_ymd_opt(1970, 1, 1));
        assert_eq!(date(-1), NaiveDate::from_ymd_opt(1969, 12, 31));
        assert_eq!(days(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()), 19_782);
        assert_eq!(date(i32::MAX), None);
    }

    #[test]
    fn instants_fall_into_local_days_around_clock_changes() {
        // Warsaw: 2024-03-31 01:00 UTC +1 -> +2, 2024-10-27 01:00 UTC +2 -> +1. Sofia one ahead.
        let cases = [
            ("Europe/Warsaw", "2024-03-30 22:59:59", "2024-03-30"),
            ("Europe/Warsaw", "2024-03-30 23:00:00", "2024-03-31"),
            ("Europe/Warsaw", "2024-03-31 21:59:59", "2024-03-31"),
            ("Europe/Warsaw", "2024-03-31 22:00:00", "2024-04-01"),
            ("Europe/Warsaw", "2024-10-27 22:59:59", "2024-10-27"),
            ("Europe/Warsaw", "2024-10-27 23:00:00", "2024-10-28"),
            ("Europe/Sofia", "2024-03-31 20:59:59", "2024-03-31"),
            ("Europe/Sofia", "2024-03-31 21:00:00", "2024-04-01"),
            ("Europe/Sofia", "2024-10-27 22:00:00", "2024-10-28"),
            ("+05:30", "2024-01-01 18:30:00", "2024-01-02"),
            // Samoa had no 30 December 2011.
            ("Pacific/Apia", "2011-12-30 09:59:59", "2011-12-29"),
            ("Pacific/Apia", "2011-12-30 10:00:00", "2011-12-31"),
        ];
        for (zone, instant, expected) in cases {
            let mut finder = LocalDays::new(parse_zone(zone).unwrap());
            assert_eq!(
                finder.day_of(seconds(instant)).unwrap(),
                day(expected),
                "{zone} {instant}"
            );
        }
    }

    #[test]
    fn the_remembered_day_never_changes_an_answer() {
        for zone in [
            "Europe/Warsaw",
            "Europe/Sofia",
            "America/Sao_Paulo",
            "America/Goose_Bay",
            "Pacific/Apia",
            "Africa/Cairo",
            "UTC",
        ] {
            let zone = parse_zone(zone).unwrap();
            let mut finder = LocalDays::new(zone);
            let mut times = LocalTimes::new(zone);
            // Every 30 minutes and a bit through 2010 and 2011.
            let mut instant = seconds("2010-01-01 00:00:00");
            while instant < seconds("2012-01-05 00:00:00") {
                let local = zone
                    .from_utc_datetime(&from_seconds(instant).unwrap())
                    .naive_local();
                assert_eq!(
                    finder.day_of(instant).unwrap(),
                    i64::from(days(local.date()))
                );
                let fresh = local_to_utc(&zone, local);
                assert_eq!(times.utc(local.and_utc().timestamp()).unwrap(), fresh);
                instant += 1801;
            }
        }
    }

    #[test]
    fn gaps_shift_forward_and_the_earlier_of_two_is_taken() {
        let zone = parse_zone("Europe/Warsaw").unwrap();
        let utc = |text: &str| LocalTimes::new(zone).utc(seconds(text)).unwrap();
        assert_eq!(utc("2024-03-31 01:59:59"), seconds("2024-03-31 00:59:59"));
        assert_eq!(utc("2024-03-31 02:30:00"), seconds("2024-03-31 01:30:00"));
        assert_eq!(utc("2024-03-31 03:30:00"), seconds("2024-03-31 01:30:00"));
        assert_eq!(utc("2024-10-27 02:30:00"), seconds("2024-10-27 00:30:00"));
        assert_eq!(utc("2024-10-27 03:00:00"), seconds("2024-10-27 02:00:00"));
    }

    #[test]
    fn the_end_of_a_day_is_the_next_midnight() {
        let end = |zone: &str, text: &str| {
            let day = i32::try_from(day(text)).unwrap();
            end_of_day(&parse_zone(zone).unwrap(), day).unwrap()
        };
        assert_eq!(end("UTC", "2024-02-29"), seconds("2024-03-01 00:00:00"));
        assert_eq!(
            end("Europe/Warsaw", "2024-03-31"),
            seconds("2024-03-31 22:00:00")
        );
        // Sao Paulo had no midnight on 2018-11-04: clocks went from 00:00 to 01:00.
        assert_eq!(
            end("America/Sao_Paulo", "2018-11-03"),
            seconds("2018-11-04 03:00:00")
        );
    }

    #[test]
    fn far_away_times_are_an_error() {
        let zone = parse_zone("Europe/Warsaw").unwrap();
        assert!(LocalDays::new(zone).day_of(i64::MAX).is_err());
        assert!(LocalTimes::new(zone).utc(i64::MIN).is_err());
        assert!(
            parse_zone("Europe/Warszawa")
                .unwrap_err()
                .to_string()
                .contains("Europe/Warszawa")
        );
    }
}
