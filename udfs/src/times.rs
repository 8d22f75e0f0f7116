//! Columns of dates and timestamps as local calendar days and as instants.

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::*;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::arguments::{Call, known, types};
use crate::clock::ClockSource;
use crate::math::calendar::{DAY_SECONDS, SECOND_NANOS, floor_div, parse_zone};
use crate::math::zone_days::{LocalDays, LocalTimes};
use crate::types::{is_text, is_time, plain_or};

/// Checks the types of a call `f(x [, ref [, time_zone]])`.
pub(crate) fn check_times(call: &Call, args: &ReturnFieldArgs<'_>) -> Result<()> {
    let types = types(args);
    call.check_count(types.len(), 1..=3)?;
    for (position, (seen, name)) in types.iter().zip(["x", "ref"]).enumerate() {
        let seen = plain_or(seen, DataType::Date32);
        if !is_time(&seen) {
            let before = if position == 0 { "" } else { "x, " };
            let mend = if seen.is_integer() {
                format!(
                    "for Unix seconds write {}({before}to_timestamp_seconds({name}))",
                    call.name
                )
            } else {
                format!("write {}({before}CAST({name} AS DATE))", call.name)
            };
            return Err(call.wrong_type(position, "a date or a timestamp", &seen, &mend));
        }
    }
    if let Some(zone) = types
        .get(2)
        .filter(|zone| !is_text(&plain_or(zone, DataType::Utf8)))
    {
        let mend = format!("write {}(x, ref, 'Europe/Warsaw')", call.name);
        return Err(call.wrong_type(2, "the name of a time zone", zone, &mend));
    }
    match known(args, 2) {
        Some(zone) => parse_zone(call.text("the time zone", zone)?).map(drop),
        None => Ok(()),
    }
}

/// The types that the arguments of such a call are read as.
pub(crate) fn coerce_times(types: &[DataType]) -> Vec<DataType> {
    let null_as = |position| {
        if position < 2 {
            DataType::Date32
        } else {
            DataType::Utf8
        }
    };
    let plain = |(position, seen)| plain_or(seen, null_as(position));
    types.iter().enumerate().map(plain).collect()
}

/// The zone named by the third argument, else the source's.
pub(crate) fn zone_argument(
    call: &Call,
    args: &[ColumnarValue],
    source: &ClockSource,
    config: &ConfigOptions,
) -> Result<Tz> {
    match args.get(2) {
        Some(value) => {
            parse_zone(call.text("the time zone", call.constant("the time zone", value)?)?)
        }
        None => parse_zone(&source.time_zone(config)),
    }
}

/// How many of a unit make a second.
const MILLIS: i64 = 1_000;
const MICROS: i64 = 1_000_000;

/// `finish` of the local day (since 1970-01-01) of every value: dates and timestamps without a
/// zone as they are, instants in `zone`.
pub(crate) fn map_days(
    values: &ArrayRef,
    zone: Tz,
    finish: impl Fn(i64) -> i64,
) -> Result<PrimitiveArray<Int64Type>> {
    use DataType::*;
    use TimeUnit::*;
    let zone = (!is_utc(&zone)).then_some(zone);
    match values.data_type() {
        Date32 => Ok(values
            .as_primitive::<Date32Type>()
            .unary(|day| finish(i64::from(day)))),
        Date64 => days::<Date64Type, MILLIS>(values, None, finish),
        Timestamp(unit, named) => {
            let zone = named.as_ref().and(zone);
            match unit {
                Second => days::<TimestampSecondType, 1>(values, zone, finish),
                Millisecond => days::<TimestampMillisecondType, MILLIS>(values, zone, finish),
                Microsecond => days::<TimestampMicrosecondType, MICROS>(values, zone, finish),
                Nanosecond => days::<TimestampNanosecondType, SECOND_NANOS>(values, zone, finish),
            }
        }
        other => internal_err!("no days in {other}"),
    }
}

fn days<T: ArrowPrimitiveType<Native = i64>, const PER_SECOND: i64>(
    values: &ArrayRef,
    zone: Option<Tz>,
    finish: impl Fn(i64) -> i64,
) -> Result<PrimitiveArray<Int64Type>> {
    let values = values.as_primitive::<T>();
    let Some(zone) = zone else {
        // Two divisions by constants that the compiler knows, as their product it cannot be told.
        let day = |value: i64| floor_div::<DAY_SECONDS>(floor_div::<PER_SECOND>(value));
        return Ok(values.unary(|value| finish(day(value))));
    };
    let mut days = LocalDays::new(zone, values.len());
    let counted = each(values, |value| {
        Ok(finish(days.day_of(floor_div::<PER_SECOND>(value))?))
    })?;
    Ok(PrimitiveArray::new(counted.into(), values.nulls().cloned()))
}

/// `finish` of the instant of every value in nanoseconds: dates and timestamps without a zone are
/// local wall clock in `zone`. 128 bits hold the seconds of every unit. What stands for NULL
/// means nothing.
pub(crate) fn map_instants<R: Default>(
    values: &ArrayRef,
    zone: Tz,
    finish: impl Fn(i128) -> R,
) -> Result<Vec<R>> {
    use DataType::*;
    use TimeUnit::*;
    let zone = (!is_utc(&zone)).then_some(zone);
    match values.data_type() {
        Date32 => {
            let seconds = values
                .as_primitive::<Date32Type>()
                .unary::<_, TimestampSecondType>(|day| i64::from(day) * DAY_SECONDS);
            instants::<TimestampSecondType, 1, R>(&seconds, zone, finish)
        }
        Date64 => instants::<Date64Type, MILLIS, R>(values.as_primitive(), zone, finish),
        Timestamp(unit, named) => {
            let wall = if named.is_none() { zone } else { None };
            match unit {
                Second => {
                    instants::<TimestampSecondType, 1, R>(values.as_primitive(), wall, finish)
                }
                Millisecond => instants::<TimestampMillisecondType, MILLIS, R>(
                    values.as_primitive(),
                    wall,
                    finish,
                ),
                Microsecond => instants::<TimestampMicrosecondType, MICROS, R>(
                    values.as_primitive(),
                    wall,
                    finish,
                ),
                Nanosecond => instants::<TimestampNanosecondType, SECOND_NANOS, R>(
                    values.as_primitive(),
                    wall,
                    finish,
                ),
            }
        }
        other => internal_err!("no instants in {other}"),
    }
}

fn instants<T: ArrowPrimitiveType<Native = i64>, const PER_SECOND: i64, R: Default>(
    values: &PrimitiveArray<T>,
    wall: Option<Tz>,
    finish: impl Fn(i128) -> R,
) -> Result<Vec<R>> {
    let nanos = |value: i64| i128::from(value) * const { (SECOND_NANOS / PER_SECOND) as i128 };
    let Some(zone) = wall else {
        let values = values.values().iter();
        return Ok(values.map(|value| finish(nanos(*value))).collect());
    };
    let mut times = LocalTimes::new(zone, values.len());
    each(values, |value| {
        let seconds = floor_div::<PER_SECOND>(value);
        let whole = i128::from(times.utc(seconds)?) * i128::from(SECOND_NANOS);
        Ok(finish(whole + nanos(value.rem_euclid(PER_SECOND))))
    })
}

/// What lies under a NULL may be any number and must not be looked up: it becomes 0.
fn each<T: ArrowPrimitiveType, R: Default>(
    values: &PrimitiveArray<T>,
    mut read: impl FnMut(T::Native) -> Result<R>,
) -> Result<Vec<R>> {
    let mut found = Vec::with_capacity(values.len());
    match values.nulls() {
        None => {
            for value in values.values() {
                found.push(read(*value)?);
            }
        }
        Some(_) => {
            for value in values {
                found.push(value.map_or_else(|| Ok(R::default()), &mut read)?);
            }
        }
    }
    Ok(found)
}

/// UTC needs no look-up, and it is the most common zone.
fn is_utc(zone: &Tz) -> bool {
    matches!(zone.to_string().as_str(), "UTC" | "Etc/UTC" | "+00:00")
}
