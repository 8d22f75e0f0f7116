//! Columns of instants and of wall-clock times in a time zone: the local day of each, or the
//! instant it means.
//!
//! Most days have one offset from UTC throughout. It is remembered day by day, so that a value
//! costs integer arithmetic instead of a look-up in the time zone database, in whatever order
//! the days come.

use arrow::array::timezone::Tz;
use chrono::{Offset, TimeZone};
use datafusion_common::Result;

use super::calendar::{DAY_SECONDS, floor_div, from_seconds, local_to_utc, midnight, resolve};

/// Eleven years of days, in a table that fits the second-level cache.
const MOST_SLOTS: usize = 4096;
/// No day: days are seconds divided by [`DAY_SECONDS`].
const EMPTY: i64 = i64::MIN;

/// Days with one offset: a direct-mapped cache.
struct SteadyDays {
    /// Day and offset, at the day modulo their number, which is a power of two.
    slots: Vec<(i64, i64)>,
}

impl SteadyDays {
    fn new(rows: usize) -> Self {
        let slots = rows.clamp(1, MOST_SLOTS).next_power_of_two();
        Self {
            slots: vec![(EMPTY, 0); slots],
        }
    }

    fn slot(&self, day: i64) -> usize {
        day as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn offset(&self, day: i64) -> Option<i64> {
        let (known, offset) = self.slots[self.slot(day)];
        (known == day).then_some(offset)
    }

    fn remember(&mut self, day: i64, offset: i64) {
        let slot = self.slot(day);
        self.slots[slot] = (day, offset);
    }
}

/// Finds the local day of instants.
pub(crate) struct LocalDays {
    zone: Tz,
    /// By the day in UTC.
    steady: SteadyDays,
}

impl LocalDays {
    /// For so many instants in `zone`.
    pub(crate) fn new(zone: Tz, rows: usize) -> Self {
        Self {
            zone,
            steady: SteadyDays::new(rows),
        }
    }

    /// The local day, counted from 1970-01-01, of an instant in UTC seconds.
    #[inline]
    pub(crate) fn day_of(&mut self, seconds: i64) -> Result<i64> {
        let offset = match self.steady.offset(floor_div::<DAY_SECONDS>(seconds)) {
            Some(offset) => offset,
            None => self.look_up(seconds)?,
        };
        Ok(floor_div::<DAY_SECONDS>(seconds + offset))
    }

    /// No zone changes its offset twice within a day of UTC (of those in the tz database), so
    /// equal offsets at both ends hold in between.
    #[cold]
    fn look_up(&mut self, seconds: i64) -> Result<i64> {
        let day = floor_div::<DAY_SECONDS>(seconds);
        let offset = offset_at(&self.zone, seconds)?;
        let start = day * DAY_SECONDS;
        let ends = [start, start + DAY_SECONDS - 1];
        if ends
            .into_iter()
            .all(|end| offset_at(&self.zone, end).is_ok_and(|at_end| at_end == offset))
        {
            self.steady.remember(day, offset);
        }
        Ok(offset)
    }
}

fn offset_at(zone: &Tz, seconds: i64) -> Result<i64> {
    let utc = from_seconds(seconds)?;
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    Ok(i64::from(offset.local_minus_utc()))
}

/// Finds the instants that local wall-clock times mean.
pub(crate) struct LocalTimes {
    zone: Tz,
    /// By the local day.
    steady: SteadyDays,
}

impl LocalTimes {
    /// For so many times in `zone`.
    pub(crate) fn new(zone: Tz, rows: usize) -> Self {
        Self {
            zone,
            steady: SteadyDays::new(rows),
        }
    }

    /// The UTC second of a local time given in seconds since 1970-01-01 00:00 on that clock.
    #[inline]
    pub(crate) fn utc(&mut self, local_seconds: i64) -> Result<i64> {
        match self.steady.offset(floor_div::<DAY_SECONDS>(local_seconds)) {
            Some(offset) => Ok(local_seconds - offset),
            None => self.look_up(local_seconds),
        }
    }

    #[cold]
    fn look_up(&mut self, local_seconds: i64) -> Result<i64> {
        let utc = local_to_utc(&self.zone, from_seconds(local_seconds)?);
        let day = floor_div::<DAY_SECONDS>(local_seconds);
        if let Ok(Some(offset)) = self.steady_offset(day) {
            self.steady.remember(day, offset);
        }
        Ok(utc)
    }

    /// The offset of a local day in which the clocks do not change.
    fn steady_offset(&self, day: i64) -> Result<Option<i64>> {
        let start = resolve(&self.zone, midnight(day)?);
        let end = resolve(&self.zone, midnight(day + 1)?);
        let single = start.earliest == start.latest && end.earliest == end.latest;
        let steady = single && end.earliest - start.earliest == DAY_SECONDS;
        Ok(steady.then_some(day * DAY_SECONDS - start.earliest))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDateTime, TimeZone};

    use super::*;
    use crate::math::calendar::{days, parse_zone};

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
            let mut finder = LocalDays::new(parse_zone(zone).unwrap(), 1);
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
            let mut finder = LocalDays::new(zone, 64);
            let mut times = LocalTimes::new(zone, 64);
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
    fn the_order_of_instants_does_not_matter() {
        // Days far apart share a slot, and come back after others took it.
        for zone in [
            "Europe/Warsaw",
            "Pacific/Apia",
            "Africa/Casablanca",
            "+05:30",
        ] {
            let zone = parse_zone(zone).unwrap();
            let mut finder = LocalDays::new(zone, 64);
            let mut times = LocalTimes::new(zone, 64);
            let span = seconds("2030-01-01 00:00:00") - seconds("1940-01-01 00:00:00");
            for at in 0..40_000i64 {
                // A stride that shares no factor with the span walks through all of it.
                let instant = seconds("1940-01-01 00:00:00") + at * 611_953_157 % span;
                let local = zone
                    .from_utc_datetime(&from_seconds(instant).unwrap())
                    .naive_local();
                assert_eq!(
                    finder.day_of(instant).unwrap(),
                    i64::from(days(local.date()))
                );
                let fresh = local_to_utc(&zone, local);
                assert_eq!(times.utc(local.and_utc().timestamp()).unwrap(), fresh);
            }
        }
    }

    #[test]
    fn gaps_shift_forward_and_the_earlier_of_two_is_taken() {
        let zone = parse_zone("Europe/Warsaw").unwrap();
        let utc = |text: &str| LocalTimes::new(zone, 64).utc(seconds(text)).unwrap();
        assert_eq!(utc("2024-03-31 01:59:59"), seconds("2024-03-31 00:59:59"));
        assert_eq!(utc("2024-03-31 02:30:00"), seconds("2024-03-31 01:30:00"));
        assert_eq!(utc("2024-03-31 03:30:00"), seconds("2024-03-31 01:30:00"));
        assert_eq!(utc("2024-10-27 02:30:00"), seconds("2024-10-27 00:30:00"));
        assert_eq!(utc("2024-10-27 03:00:00"), seconds("2024-10-27 02:00:00"));
    }

    #[test]
    fn far_away_times_are_an_error() {
        let zone = parse_zone("Europe/Warsaw").unwrap();
        assert!(LocalDays::new(zone, 64).day_of(i64::MAX).is_err());
        assert!(LocalTimes::new(zone, 64).utc(i64::MIN).is_err());
        assert!(
            parse_zone("Europe/Warszawa")
                .unwrap_err()
                .to_string()
                .contains("Europe/Warszawa")
        );
    }
}
