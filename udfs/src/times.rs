//! Columns of dates and timestamps as local calendar days and as instants.

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::*;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs};

use crate::arguments::{Call, known, types};
use crate::clock::ClockSource;
use crate::math::calendar::{DAY_SECONDS, LocalDays, LocalTimes, SECOND_NANOS, parse_zone};
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

/// `finish` of the local day (since 1970-01-01) of every value: dates and timestamps without a
/// zone as they are, instants in `zone`.
pub(crate) fn map_days(
    values: &ArrayRef,
    zone: Tz,
    finish: impl Fn(i64) -> i64,
) -> Result<PrimitiveArray<Int64Type>> {
    use DataType::*;
    use TimeUnit::*;
    match values.data_type() {
        Date32 => Ok(values
            .as_primitive::<Date32Type>()
            .unary(|day| finish(i64::from(day)))),
        Date64 => wall_days::<Date64Type>(values, 1_000, finish),
        Timestamp(Second, None) => wall_days::<TimestampSecondType>(values, 1, finish),
        Timestamp(Millisecond, None) => {
            wall_days::<TimestampMillisecondType>(values, 1_000, finish)
        }
        Timestamp(Microsecond, None) => {
            wall_days::<TimestampMicrosecondType>(values, 1_000_000, finish)
        }
        Timestamp(Nanosecond, None) => {
            wall_days::<TimestampNanosecondType>(values, SECOND_NANOS, finish)
        }
        Timestamp(Second, Some(_)) => zoned_days::<TimestampSecondType>(values, 1, zone, finish),
        Timestamp(Millisecond, Some(_)) => {
            zoned_days::<TimestampMillisecondType>(values, 1_000, zone, finish)
        }
        Timestamp(Microsecond, Some(_)) => {
            zoned_days::<TimestampMicrosecondType>(values, 1_000_000, zone, finish)
        }
        Timestamp(Nanosecond, Some(_)) => {
            zoned_days::<TimestampNanosecondType>(values, SECOND_NANOS, zone, finish)
        }
        other => internal_err!("no days in {other}"),
    }
}

fn wall_days<T: ArrowPrimitiveType<Native = i64>>(
    values: &ArrayRef,
    per_second: i64,
    finish: impl Fn(i64) -> i64,
) -> Result<PrimitiveArray<Int64Type>> {
    let per_day = per_second * DAY_SECONDS;
    Ok(values
        .as_primitive::<T>()
        .unary(|value| finish(value.div_euclid(per_day))))
}

fn zoned_days<T: ArrowPrimitiveType<Native = i64>>(
    values: &ArrayRef,
    per_second: i64,
    zone: Tz,
    finish: impl Fn(i64) -> i64,
) -> Result<PrimitiveArray<Int64Type>> {
    if is_utc(&zone) {
        return wall_days::<T>(values, per_second, finish);
    }
    let mut days = LocalDays::new(zone);
    let values = values.as_primitive::<T>();
    let counted = each(values, |value| {
        Ok(finish(days.day_of(value.div_euclid(per_second))?))
    })?;
    Ok(PrimitiveArray::new(counted.into(), values.nulls().cloned()))
}

/// The instant of every value in nanoseconds: dates and timestamps without a zone are local wall
/// clock in `zone`. 128 bits hold the seconds of every unit.
pub(crate) fn instants(values: &ArrayRef, zone: Tz) -> Result<Vec<i128>> {
    use DataType::*;
    use TimeUnit::*;
    match values.data_type() {
        Date32 => {
            let mut times = LocalTimes::new(zone);
            let days = values.as_primitive::<Date32Type>();
            each(days, |day| {
                local(&mut times, i64::from(day) * DAY_SECONDS, 0, 1)
            })
        }
        Date64 => read::<Date64Type>(values, 1_000, Some(zone)),
        Timestamp(unit, named) => {
            let wall = named.is_none().then_some(zone);
            match unit {
                Second => read::<TimestampSecondType>(values, 1, wall),
                Millisecond => read::<TimestampMillisecondType>(values, 1_000, wall),
                Microsecond => read::<TimestampMicrosecondType>(values, 1_000_000, wall),
                Nanosecond => read::<TimestampNanosecondType>(values, SECOND_NANOS, wall),
            }
        }
        other => internal_err!("no instants in {other}"),
    }
}

fn read<T: ArrowPrimitiveType<Native = i64>>(
    values: &ArrayRef,
    per_second: i64,
    wall: Option<Tz>,
) -> Result<Vec<i128>> {
    let values = values.as_primitive::<T>();
    let nanos = i128::from(SECOND_NANOS / per_second);
    match wall {
        Some(zone) if !is_utc(&zone) => {
            let mut times = LocalTimes::new(zone);
            each(values, |value| {
                let (seconds, rest) = (value.div_euclid(per_second), value.rem_euclid(per_second));
                local(&mut times, seconds, rest, nanos)
            })
        }
        _ => Ok(values
            .values()
            .iter()
            .map(|value| i128::from(*value) * nanos)
            .collect()),
    }
}

/// What lies under a NULL may be any number and must not be looked up: it becomes 0.
fn each<T: ArrowPrimitiveType, R: Default>(
    values: &PrimitiveArray<T>,
    mut read: impl FnMut(T::Native) -> Result<R>,
) -> Result<Vec<R>> {
    values
        .iter()
        .map(|value| value.map_or_else(|| Ok(R::default()), &mut read))
        .collect()
}

fn local(times: &mut LocalTimes, seconds: i64, rest: i64, nanos: i128) -> Result<i128> {
    let utc = times.utc(seconds)?;
    Ok(i128::from(utc) * i128::from(SECOND_NANOS) + i128::from(rest) * nanos)
}

/// UTC needs no look-up, and it is the most common zone.
fn is_utc(zone: &Tz) -> bool {
    matches!(zone.to_string().as_str(), "UTC" | "Etc/UTC" | "+00:00")
}
