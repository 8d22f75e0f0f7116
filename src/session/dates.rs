//! The dates of a series: every day, week or month from one date to another.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::error::{Error, Result, suggest};

/// How far apart the dates of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// A month; from the last day of a month it is always the last day.
    Month,
}

const WORDS: [&str; 3] = ["day", "week", "month"];

impl FromStr for Every {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_lowercase().as_str() {
            "day" => Ok(Every::Day),
            "week" => Ok(Every::Week),
            "month" => Ok(Every::Month),
            other => Err(
                Error::usage(format!("'{text}' is no step from date to date"))
                    .hint_if(suggest(other, WORDS))
                    .hint("every day, week or month"),
            ),
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Every::Day => WORDS[0],
            Every::Week => WORDS[1],
            Every::Month => WORDS[2],
        })
    }
}

impl Every {
    /// The date so many steps after the first.
    fn after(self, first: NaiveDate, steps: u32) -> Option<NaiveDate> {
        match self {
            Every::Day => first.checked_add_days(Days::new(steps.into())),
            Every::Week => first.checked_add_days(Days::new(u64::from(steps) * 7)),
            Every::Month => {
                let date = first.checked_add_months(Months::new(steps))?;
                match is_month_end(first) {
                    true => month_end(date),
                    false => Some(date),
                }
            }
        }
    }
}

fn is_month_end(date: NaiveDate) -> bool {
    month_end(date) == Some(date)
}

fn month_end(date: NaiveDate) -> Option<NaiveDate> {
    let next = date.with_day(1)?.checked_add_months(Months::new(1))?;
    next.pred_opt()
}

/// Longer series are a slip of the pen.
const MOST_DATES: u32 = 10_000;

/// The first date and all after it in steps, up to and with the last. Months are
/// counted from the first date: 30 January, 28 February, 30 March.
pub fn dates(first: NaiveDate, last: NaiveDate, every: Every) -> Result<Vec<NaiveDate>> {
    if last < first {
        return Err(Error::usage(format!(
            "the dates end on {last}, before they begin on {first}"
        )));
    }
    let all = (0..=MOST_DATES).map_while(|steps| every.after(first, steps));
    let all: Vec<NaiveDate> = all.take_while(|date| *date <= last).collect();
    match all.len() > MOST_DATES as usize {
        true => Err(Error::usage(format!(
            "every {every} from {first} to {last} is more than {MOST_DATES} dates"
        ))),
        false => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(first: &str, last: &str, every: &str) -> Vec<String> {
        let date = |text: &str| text.parse().expect("a date");
        let every = every.parse().expect("a step");
        let dates = dates(date(first), date(last), every).expect("a series");
        dates.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn months_end_where_they_end() {
        assert_eq!(
            series("2024-01-31", "2024-04-30", "month"),
            ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
        );
        assert_eq!(
            series("2023-02-28", "2023-04-29", "Month"),
            ["2023-02-28", "2023-03-31"]
        );
        assert_eq!(
            series("2024-01-30", "2024-03-30", "month"),
            ["2024-01-30", "2024-02-29", "2024-03-30"]
        );
    }

    #[test]
    fn days_and_weeks() {
        assert_eq!(
            series("2024-02-28", "2024-03-01", "day"),
            ["2024-02-28", "2024-02-29", "2024-03-01"]
        );
        assert_eq!(
            series("2024-12-25", "2025-01-07", "week"),
            ["2024-12-25", "2025-01-01"]
        );
    }

    #[test]
    fn what_is_no_series_is_refused() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert!(dates(date("2024-02-01"), date("2024-01-31"), Every::Day).is_err());
        assert!(dates(date("1900-01-01"), date("2024-01-31"), Every::Day).is_err());
        let error = "mnth".parse::<Every>().expect_err("no step");
        assert!(error.to_string().contains("'month'"), "{error}");
    }
}
