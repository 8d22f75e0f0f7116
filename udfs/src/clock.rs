//! The moment at which everything is evaluated, and where a function takes it from.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, exec_datafusion_err, exec_err, plan_datafusion_err};
use datafusion_expr::simplify::SimplifyContext;

use crate::config::SegqlConfig;
use crate::math::calendar::{SECOND_NANOS, days, end_of_day, parse_zone};
use crate::math::zone_days::LocalDays;

/// An instant and the time zone in which its date is told.
///
/// The instant is inclusive: what happened in that very nanosecond has happened.
///
/// ```
/// use segql_udfs::Clock;
/// let clock = Clock::parse("2026-01-31", "Europe/Warsaw")?;
/// assert_eq!(clock.date(), 20_484); // days since 1970-01-01
/// assert_eq!(clock.instant_nanos(), 1_769_900_399_999_999_999); // 22:59:59.999999999 UTC
/// # Ok::<(), datafusion_common::DataFusionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Clock {
    instant_nanos: i64,
    time_zone: Arc<str>,
    date: i32,
}

impl Clock {
    /// A clock that stands at an instant, given in nanoseconds since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    /// If `time_zone` is neither an IANA name nor an offset such as `+02:00`.
    pub fn new(instant_nanos: i64, time_zone: impl Into<Arc<str>>) -> Result<Self> {
        let time_zone = time_zone.into();
        let zone = parse_zone(&time_zone)?;
        let day = LocalDays::new(zone, 1).day_of(instant_nanos.div_euclid(SECOND_NANOS))?;
        let date = i32::try_from(day).expect("64 bits of nanoseconds span 584 years");
        Ok(Self {
            instant_nanos,
            time_zone,
            date,
        })
    }

    /// A clock that stands at the last nanosecond of a date, given in days since 1970-01-01.
    ///
    /// # Errors
    /// If the time zone is unknown, or the date outside 1677-09-22 to 2262-04-10.
    pub fn end_of(date: i32, time_zone: impl Into<Arc<str>>) -> Result<Self> {
        let time_zone = time_zone.into();
        let next = end_of_day(&parse_zone(&time_zone)?, date)?;
        let instant = next
            .checked_mul(SECOND_NANOS)
            .and_then(|nanos| nanos.checked_sub(1));
        let instant = instant.ok_or_else(out_of_range)?;
        Ok(Self {
            instant_nanos: instant,
            time_zone,
            date,
        })
    }

    /// Reads `2026-01-31` (the end of that day in the zone) or an instant of RFC 3339 such as
    /// `2026-01-31T18:00:00+01:00`.
    ///
    /// # Errors
    /// If the text is neither, or as [`Clock::new`] and [`Clock::end_of`].
    pub fn parse(as_of: &str, time_zone: impl Into<Arc<str>>) -> Result<Self> {
        let as_of = as_of.trim();
        if let Ok(date) = NaiveDate::parse_from_str(as_of, "%Y-%m-%d") {
            return Self::end_of(days(date), time_zone);
        }
        let instant = DateTime::parse_from_rfc3339(as_of).map_err(|_| {
            plan_datafusion_err!(
                "cannot read the as-of '{as_of}'; write a date such as 2026-01-31 (the end of \
                 that day) or an instant such as 2026-01-31T18:00:00+01:00"
            )
        })?;
        Self::at(instant.to_utc(), time_zone)
    }

    fn at(instant: DateTime<Utc>, time_zone: impl Into<Arc<str>>) -> Result<Self> {
        Self::new(
            instant.timestamp_nanos_opt().ok_or_else(out_of_range)?,
            time_zone,
        )
    }

    /// The date of the instant in the time zone, in days since 1970-01-01 (an Arrow Date32).
    pub fn date(&self) -> i32 {
        self.date
    }

    /// The instant in nanoseconds since 1970-01-01 00:00 UTC.
    pub fn instant_nanos(&self) -> i64 {
        self.instant_nanos
    }

    /// The name of the time zone.
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }

    pub(crate) fn shared_time_zone(&self) -> Arc<str> {
        Arc::clone(&self.time_zone)
    }
}

fn out_of_range() -> datafusion_common::DataFusionError {
    exec_datafusion_err!("the as-of must lie between the years 1678 and 2262")
}

/// Where a function takes its clock from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) enum ClockSource {
    /// The session's settings, else the start of the query.
    #[default]
    Session,
    /// One clock for good.
    Bound(Clock),
}

impl ClockSource {
    pub(crate) fn time_zone(&self, config: &ConfigOptions) -> Arc<str> {
        match self {
            Self::Bound(clock) => clock.shared_time_zone(),
            Self::Session => session_time_zone(config),
        }
    }

    /// The clock while a query is planned; `None` where not even its start is known.
    pub(crate) fn when_planned(&self, info: &SimplifyContext) -> Result<Option<Clock>> {
        if let Some(clock) = self.settled(info.config_options())? {
            return Ok(Some(clock));
        }
        let zone = session_time_zone(info.config_options());
        info.query_execution_start_time()
            .map(|start| Clock::at(start, zone))
            .transpose()
    }

    /// The clock while a query runs. The start of the query is no longer known here, and any
    /// other reading of the time could differ between two calls in one query.
    pub(crate) fn when_run(&self, function: &str, config: &ConfigOptions) -> Result<Clock> {
        match self.settled(config)? {
            Some(clock) => Ok(clock),
            None => exec_err!(
                "{function} takes its date from the start of the query, which is put in when the \
                 query is optimised; set segql.as_of where queries run without that"
            ),
        }
    }

    fn settled(&self, config: &ConfigOptions) -> Result<Option<Clock>> {
        match self {
            Self::Bound(clock) => Ok(Some(clock.clone())),
            Self::Session => match config.extensions.get::<SegqlConfig>() {
                Some(segql) if !segql.as_of.is_empty() => {
                    Clock::parse(&segql.as_of, session_time_zone(config)).map(Some)
                }
                _ => Ok(None),
            },
        }
    }
}

/// The zone of `segql.time_zone`, else of `datafusion.execution.time_zone`, else UTC.
pub(crate) fn session_time_zone(config: &ConfigOptions) -> Arc<str> {
    let own = config
        .extensions
        .get::<SegqlConfig>()
        .map(|segql| segql.time_zone.as_str());
    let own = own.filter(|zone| !zone.is_empty());
    Arc::from(
        own.or(config.execution.time_zone.as_deref())
            .unwrap_or("UTC"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(as_of: &str, zone: &str) -> ConfigOptions {
        let mut config = ConfigOptions::default();
        config.extensions.insert(SegqlConfig::default());
        config.set("segql.as_of", as_of).unwrap();
        config.set("segql.time_zone", zone).unwrap();
        config
    }

    #[test]
    fn a_date_means_its_last_nanosecond_in_the_zone() {
        let clock = Clock::parse("2024-03-31", "Europe/Sofia").unwrap();
        // 2024-03-31 21:00 UTC is midnight in Sofia, the day being an hour short.
        assert_eq!(clock.instant_nanos(), 1_711_918_800_000_000_000 - 1);
        assert_eq!(
            clock,
            Clock::new(clock.instant_nanos(), "Europe/Sofia").unwrap()
        );
    }

    #[test]
    fn an_instant_has_another_date_in_another_zone() {
        let date = |zone: &str| {
            Clock::parse("2024-03-31T23:30:00+02:00", zone)
                .unwrap()
                .date()
        };
        assert_eq!(date("Europe/Warsaw") + 1, date("Europe/Sofia"));
        assert_eq!(date("UTC"), date("Europe/Warsaw"));
    }

    #[test]
    fn unreadable_texts_are_named() {
        for text in ["yesterday", "2026-02-30", "31.01.2026", ""] {
            let error = Clock::parse(text, "UTC").unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
        assert!(
            Clock::parse("2026-01-31", "Mars")
                .unwrap_err()
                .to_string()
                .contains("'Mars'")
        );
        assert!(Clock::parse("2500-01-01", "UTC").is_err());
    }

    #[test]
    fn settings_come_first_then_the_start_of_the_query() {
        let source = ClockSource::Session;
        let set = config("2026-01-31", "Europe/Warsaw");
        let clock = source.when_run("as_of", &set).unwrap();
        assert_eq!((clock.date(), clock.time_zone()), (20_484, "Europe/Warsaw"));
        let start = DateTime::from_timestamp(86_399, 0).unwrap();
        let builder = SimplifyContext::builder().with_query_execution_start_time(Some(start));
        let unset = builder
            .with_config_options(Arc::new(config("", "Europe/Sofia")))
            .build();
        assert_eq!(source.when_planned(&unset).unwrap().unwrap().date(), 1);
        assert!(
            source
                .when_planned(&SimplifyContext::default())
                .unwrap()
                .is_none()
        );
        let error = source
            .when_run("as_of", &ConfigOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("segql.as_of"), "{error}");
    }

    #[test]
    fn the_zone_falls_back_to_datafusion_and_utc() {
        let mut both = config("", "");
        both.execution.time_zone = Some("Europe/Sofia".to_owned());
        assert_eq!(&*session_time_zone(&both), "Europe/Sofia");
        both.set("segql.time_zone", "Europe/Warsaw").unwrap();
        assert_eq!(&*session_time_zone(&both), "Europe/Warsaw");
        assert_eq!(&*session_time_zone(&ConfigOptions::default()), "UTC");
    }
}
