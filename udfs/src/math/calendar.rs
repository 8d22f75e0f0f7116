//! Days and instants in a time zone, with daylight saving: where a day ends, and which instant a
//! local wall-clock time means. Whole columns are read by `zone_days`.

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

/// `value / BY`, rounded down. By the complement, as of a negative value `!value` is not, and
/// its quotient is that of the complement: a single unsigned division by a constant, which the
/// compiler makes a multiplication, where `div_euclid` takes a remainder and a branch.
#[inline]
pub(crate) fn floor_div<const BY: i64>(value: i64) -> i64 {
    let sign = value >> 63;
    let magnitude = (value ^ sign) as u64;
    (magnitude / BY as u64) as i64 ^ sign
}

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

/// The UTC seconds that a local time means: two where clocks show it twice.
pub(super) struct Resolved {
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

pub(super) fn resolve(zone: &Tz, local: NaiveDateTime) -> Resolved {
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

pub(super) fn midnight(days: i64) -> Result<NaiveDateTime> {
    from_seconds(days.saturating_mul(DAY_SECONDS))
}

pub(super) fn from_seconds(seconds: i64) -> Result<NaiveDateTime> {
    DateTime::from_timestamp(seconds, 0)
        .map(|at| at.naive_utc())
        .ok_or_else(|| exec_datafusion_err!("a date or time lies more than 262,000 years away"))
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
    fn quotients_are_rounded_down() {
        let mut values = vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX];
        for near in [0, DAY_SECONDS, 7 * DAY_SECONDS, -DAY_SECONDS] {
            values.extend(near - 2..=near + 2);
        }
        for value in values {
            assert_eq!(
                floor_div::<DAY_SECONDS>(value),
                value.div_euclid(DAY_SECONDS)
            );
            assert_eq!(floor_div::<7>(value), value.div_euclid(7));
            assert_eq!(floor_div::<1>(value), value);
        }
    }

    #[test]
    fn dates_count_from_1970() {
        assert_eq!(date(0), NaiveDate::from_ymd_opt(1970, 1, 1));
        assert_eq!(date(-1), NaiveDate::from_ymd_opt(1969, 12, 31));
        assert_eq!(days(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()), 19_782);
        assert_eq!(date(i32::MAX), None);
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
}
