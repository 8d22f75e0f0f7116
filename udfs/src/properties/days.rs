//! `days_since` against chrono's calendar: any zone, any instant, above all those near midnights
//! and changes of the clocks.

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use datafusion_common::ScalarValue;
use datafusion_expr::{ColumnarValue, ScalarUDF};
use proptest::prelude::*;

use super::scalar;
use crate::testing::{call, ints};
use crate::{Clock, scalar_functions_at};

/// Half hours, quarters, days that were left out or lived twice, changes at midnight, changes of
/// half an hour and of two hours, winters that are the other way round.
const ZONES: [&str; 40] = [
    "UTC",
    "Europe/Warsaw",
    "Europe/Sofia",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Amsterdam",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Africa/Windhoek",
    "Asia/Gaza",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Manila",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "Pacific/Honolulu",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Goose_Bay",
    "America/Scoresbysund",
    "America/Caracas",
    "Antarctica/Troll",
];

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

fn offset(zone: &Tz, seconds: i64) -> i64 {
    let utc = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc);
    i64::from(offset.fix().local_minus_utc())
}

/// Seconds worth a look in a year: its local midnights (nearly), and the first after each change
/// of the clocks, found by halving.
fn landmarks(zone: &Tz, year: i32) -> Vec<i64> {
    let start = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let start = start.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp();
    let mut found = vec![];
    for day in (0..366).map(|day| start + day * DAY) {
        let (mut before, mut after) = (day, day + DAY);
        if offset(zone, before) == offset(zone, after) {
            continue;
        }
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            match offset(zone, middle) == offset(zone, before) {
                true => before = middle,
                false => after = middle,
            }
        }
        // The change, and the midnights on both sides of it, by either clock.
        let midnight = after.div_euclid(DAY) * DAY;
        let clocks = [offset(zone, after - 1), offset(zone, after)];
        let near = clocks
            .into_iter()
            .flat_map(|clock| (-1..=2).map(move |days| midnight + days * DAY - clock));
        found.push(after);
        found.extend(near);
    }
    // Where the clocks never change there are midnights, too.
    found.extend(
        (0..366)
            .step_by(31)
            .map(|day| start + day * DAY - offset(zone, start)),
    );
    found
}

/// A zone, and instants in nanoseconds in no order.
fn moments() -> impl Strategy<Value = (&'static str, Vec<i64>)> {
    let jitter = prop_oneof![
        4 => -2i64..=2,
        2 => -2 * DAY..2 * DAY,
        1 => -400 * DAY..400 * DAY,
    ];
    let fraction = prop_oneof![Just(0i64), Just(NANOS - 1), 0..NANOS];
    let moment = (any::<u16>(), jitter, fraction);
    let moments = prop::collection::vec(moment, 2..30);
    (0..ZONES.len(), 1905i32..2105, moments).prop_map(|(zone, year, moments)| {
        let landmarks = landmarks(&ZONES[zone].parse().unwrap(), year);
        let instant = |(pick, jitter, fraction): (u16, i64, i64)| {
            let landmark = landmarks[usize::from(pick) % landmarks.len()];
            (landmark + jitter) * NANOS + fraction
        };
        (ZONES[zone], moments.into_iter().map(instant).collect())
    })
}

const UNITS: [(TimeUnit, i64); 4] = [
    (TimeUnit::Second, NANOS),
    (TimeUnit::Millisecond, 1_000_000),
    (TimeUnit::Microsecond, 1_000),
    (TimeUnit::Nanosecond, 1),
];

fn timestamps(nanos: &[i64], unit: (TimeUnit, i64), shown_in: Option<&str>) -> ArrayRef {
    let values = nanos.iter().map(|it| it.div_euclid(unit.1));
    let values = Int64Array::from_iter_values(values);
    cast(
        &values,
        &DataType::Timestamp(unit.0, shown_in.map(Into::into)),
    )
    .unwrap()
}

fn date(zone: &Tz, nanos: i64) -> NaiveDate {
    let utc = DateTime::from_timestamp_nanos(nanos).naive_utc();
    zone.from_utc_datetime(&utc).naive_local().date()
}

fn days(udf: &ScalarUDF, args: Vec<ColumnarValue>, rows: usize) -> Vec<Option<i64>> {
    ints(&call(udf, args, rows).unwrap())
}

fn text(text: &str) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::from(text))
}

proptest! {
    #[test]
    fn days_are_those_of_the_calendar(
        (name, moments) in moments(), unit in 0..UNITS.len(), shown in 0..ZONES.len(),
    ) {
        let (zone, unit): (Tz, _) = (name.parse().unwrap(), UNITS[unit]);
        let (to, moments) = moments.split_first().unwrap();
        let rows = moments.len();
        let x = || ColumnarValue::Array(timestamps(moments, unit, Some(ZONES[shown])));
        let expected: Vec<Option<i64>> = moments
            .iter()
            .map(|it| Some(date(&zone, *to).signed_duration_since(date(&zone, *it)).num_days()))
            .collect();
        let days_since = scalar("days_since");

        let constant = ScalarValue::TimestampNanosecond(Some(*to), Some("UTC".into()));
        let constant = ColumnarValue::Scalar(constant);
        prop_assert_eq!(&days(&days_since, vec![x(), constant, text(name)], rows), &expected, "{}", name);

        let column = timestamps(&vec![*to; rows], UNITS[3], Some("UTC"));
        let column = ColumnarValue::Array(column);
        prop_assert_eq!(&days(&days_since, vec![x(), column, text(name)], rows), &expected, "{}", name);

        let clock = Clock::new(*to, name).unwrap();
        let bound = scalar_functions_at(&clock).into_iter().find(|it| it.name() == "days_since");
        prop_assert_eq!(&days(&bound.unwrap(), vec![x()], rows), &expected, "{}", name);
    }

    /// Without a zone it is the wall clock, whatever the zone of the session.
    #[test]
    fn wall_clocks_know_no_zone((name, moments) in moments(), unit in 0..UNITS.len()) {
        let rows = moments.len();
        let x = timestamps(&moments, UNITS[unit], None);
        let day = moments[0].div_euclid(DAY * NANOS);
        let to = ScalarValue::Date32(Some(i32::try_from(day).unwrap()));
        let args = vec![ColumnarValue::Array(x), ColumnarValue::Scalar(to), text(name)];
        let utc: Tz = "UTC".parse().unwrap();
        let to = date(&utc, moments[0]);
        let expected: Vec<Option<i64>> = moments
            .iter()
            .map(|it| Some(to.signed_duration_since(date(&utc, *it)).num_days()))
            .collect();
        prop_assert_eq!(days(&scalar("days_since"), args, rows), expected, "{}", name);
    }

    /// The end of a day is no later day, and the next nanosecond is one. (A day that a zone left
    /// out ends where the day before does; one that the clocks went back into ends the second time.)
    #[test]
    fn a_day_ends_where_a_later_one_begins(zone in 0..ZONES.len(), day in -23_000i32..49_000) {
        let (name, zone): (_, Tz) = (ZONES[zone], ZONES[zone].parse().unwrap());
        ends_rightly(name, &zone, day)?;
    }

    /// The same where it is hard: on days around changes of the clocks.
    #[test]
    fn so_do_days_of_changes((name, moments) in moments()) {
        let zone: Tz = name.parse().unwrap();
        for nanos in moments {
            let (clock, utc) = (date(&zone, nanos), NaiveDate::default());
            let day = clock.signed_duration_since(utc).num_days();
            ends_rightly(name, &zone, i32::try_from(day).unwrap())?;
        }
    }
}

fn ends_rightly(name: &str, zone: &Tz, day: i32) -> Result<(), TestCaseError> {
    let end = Clock::end_of(day, name).unwrap();
    prop_assert_eq!(end.date(), day);
    let asked = NaiveDate::from_num_days_from_ce_opt(719_163 + day).unwrap();
    prop_assert!(
        date(zone, end.instant_nanos()) <= asked,
        "{} {}",
        name,
        asked
    );
    prop_assert!(
        date(zone, end.instant_nanos() + 1) > asked,
        "{} {}",
        name,
        asked
    );
    Ok(())
}
