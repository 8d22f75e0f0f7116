//! `segment_impact('name', event_date, days)`: what a decision did to each label, beside
//! the same weeks of the year before.

use chrono::{Days, NaiveDate};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, when};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::crowd::{Crowd, nothing};
use super::given::in_order;
use super::in_window::{Rows, key_type, ordered_after, orders};
use crate::catalog::binder::Binder;
use crate::error::{Error, Result};
use crate::session::Moment;

/// 52 weeks back a date falls on the same day of the week.
const YEAR_DAYS: u64 = 364;

/// Longer windows of two years would overlap.
const MOST_DAYS: i64 = YEAR_DAYS as i64 / 2;

/// Windows are numbered: 0 before, 1 after, 2 and 3 the same a year earlier; people by
/// year: 0 this, 1 the last.
const IMPACT: &str = "
WITH bought AS (
  SELECT key, CASE WHEN period < 2 THEN 0 ELSE 1 END AS number,
         count(*) FILTER (WHERE period % 2 = 0) AS orders_before,
         count(*) FILTER (WHERE period % 2 = 1) AS orders_after,
         sum(amount) FILTER (WHERE period % 2 = 0) AS revenue_before,
         sum(amount) FILTER (WHERE period % 2 = 1) AS revenue_after
  FROM orders GROUP BY key, CASE WHEN period < 2 THEN 0 ELSE 1 END),
counted AS (
  SELECT people.label, people.number, count(*) AS customers,
         count(*) FILTER (WHERE orders_before > 0) AS buyers_before,
         count(*) FILTER (WHERE orders_after > 0) AS buyers_after,
         sum(orders_before) AS orders_before, sum(orders_after) AS orders_after,
         sum(revenue_before) AS revenue_before, sum(revenue_after) AS revenue_after
  FROM people
  LEFT JOIN bought ON bought.key = people.key AND bought.number = people.number
  GROUP BY people.label, people.number
  UNION ALL
  SELECT label, 0, 0, 0, 0, 0, 0, NULL, NULL FROM labels),
summed AS (
  SELECT label, SUMS FROM counted GROUP BY label),
compared AS (
  SELECT *, SHARE(revenue_after, revenue_before) - 1 AS change,
         SHARE(last_year_revenue_after, last_year_revenue_before) - 1 AS last_year_change
  FROM summed)
SELECT label, customers, buyers_before, buyers_after, orders_before, orders_after,
       revenue_before, revenue_after, change,
       last_year_customers, last_year_orders_before, last_year_orders_after,
       last_year_revenue_before, last_year_revenue_after, last_year_change,
       change - last_year_change AS difference,
       SHARE(revenue_before, orders_before) AS average_order_before,
       SHARE(revenue_after, orders_after) AS average_order_after,
       CAST(market_average_order AS DOUBLE) AS market_average_order,
       SHARE(orders_after, customers) * 365 / DAYS AS orders_per_year_after,
       CAST(market_orders_per_year AS DOUBLE) AS market_orders_per_year
FROM compared CROSS JOIN (MARKET) AS market
ORDER BY label NULLS LAST";

/// A figure of the market: the only one for all industries, else the only one there is.
const MARKET: &str = "
CASE WHEN count(*) FILTER (WHERE metric = 'NAME' AND industry IS NULL) = 1
     THEN min(value) FILTER (WHERE metric = 'NAME' AND industry IS NULL)
     WHEN count(*) FILTER (WHERE metric = 'NAME') = 1
     THEN min(value) FILTER (WHERE metric = 'NAME') END AS market_NAME";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(3, 3)?;
    let dates = Dates::of(call)?;
    let reader = call.function.name;
    let eves = [dates.eve(0)?, dates.eve(1)?];
    let crowd = Crowd::at(call, &eves)?;
    crowd.check_buys()?;
    let (orders, period, market) = call.binder().at(dates.end()?, |there| {
        let orders = orders(there, reader)?;
        let period = dates.period(there, &orders)?;
        Ok((orders, period, market(there, reader)?))
    })?;
    let key_type = key_type(crowd.key_types(), [&orders])?;
    let columns = [period.alias("period"), ident("amount")];
    let orders = LogicalPlanBuilder::from(orders.project(&key_type, columns)?);
    let orders = orders.filter(ident("period").is_not_null())?.build()?;
    let given = [
        ("people", crowd.people(&key_type)?),
        ("labels", crowd.labels()?),
        ("orders", orders),
        ("benchmarks", market),
    ];
    let sql = query(dates.days);
    in_order(call, call.binder().over(&sql, &given)?)
}

fn query(days: u64) -> String {
    let mut sums = vec![];
    for (number, prefix) in [(0, ""), (1, "last_year_")] {
        for name in [
            "customers",
            "buyers_before",
            "buyers_after",
            "orders_before",
            "orders_after",
        ] {
            sums.push(format!(
                "CAST(coalesce(sum({name}) FILTER (WHERE number = {number}), 0) AS BIGINT) AS {prefix}{name}"
            ));
        }
        for name in ["revenue_before", "revenue_after"] {
            sums.push(format!(
                "coalesce(sum({name}) FILTER (WHERE number = {number}), 0) AS {prefix}{name}"
            ));
        }
    }
    let figure = |name: &str| MARKET.replace("NAME", name);
    let figures = [figure("average_order"), figure("orders_per_year")].join(", ");
    let mut sql = IMPACT.replace("SUMS", &sums.join(", "));
    sql = sql.replace("DAYS", &days.to_string());
    sql = sql.replace("MARKET", &format!("SELECT {figures} FROM benchmarks"));
    share(&sql)
}

/// `SHARE(a, b)` is a / b as a DOUBLE, and NULL where b is 0.
fn share(sql: &str) -> String {
    let mut parts = sql.split("SHARE(");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (call, rest) = part.split_once(')').unwrap_or((part, ""));
        let (above, below) = call.split_once(", ").unwrap_or((call, "1"));
        written += &format!("CAST({above} AS DOUBLE) / nullif(CAST({below} AS DOUBLE), 0){rest}");
    }
    written
}

/// The figures of the market that the project knows.
fn market(there: &Binder<'_>, reader: &str) -> Result<LogicalPlan> {
    match there.has_view("benchmarks") {
        true => there.contract("benchmarks", &["metric", "value"], reader),
        false => nothing(&[
            ("metric", DataType::Utf8),
            ("industry", DataType::Utf8),
            ("value", DataType::Float64),
        ]),
    }
}

/// The day of the decision, and how many days before and after it are compared.
struct Dates {
    event: NaiveDate,
    days: u64,
    zone: chrono_tz::Tz,
}

impl Dates {
    fn of(call: &Call<'_>) -> Result<Self> {
        let days = match call.whole_number(2)? {
            Some(days @ 1..=MOST_DAYS) => days as u64,
            Some(days) => {
                return Err(
                    Error::usage(format!("{days} days cannot be compared")).hint(format!(
                        "from 1 to {MOST_DAYS}, so that the windows of two years stay apart"
                    )),
                );
            }
            None => return Err(call.usage()),
        };
        let event = call.moment(1)?;
        let dates = Self {
            event: event.date(),
            days,
            zone: event.zone(),
        };
        let now = call.binder().evaluation.moment;
        match dates.end()?.nanos() <= now.nanos() {
            true => Ok(dates),
            false => Err(dates.not_over(&now)),
        }
    }

    fn not_over(&self, now: &Moment) -> Error {
        let over = now.date().signed_duration_since(self.event).num_days();
        let over = over + i64::from(now.is_whole_day());
        let message = format!(
            "the {} days from {} on are not over at {now}",
            self.days, self.event
        );
        let hint = match over {
            1.. => format!("{over} days are: with a whole window before, compare so many"),
            _ => "the effect of what has not happened cannot be measured".to_owned(),
        };
        Error::usage(message).hint(hint)
    }

    /// So many days from the event on, a number of years earlier.
    fn on(&self, days: i64, years: u64) -> Result<Moment> {
        let first = self.event.checked_sub_days(Days::new(years * YEAR_DAYS));
        let date = first.and_then(|it| it.checked_add_signed(chrono::Duration::days(days)));
        let date = date.ok_or_else(|| Error::usage(format!("{} is out of range", self.event)))?;
        Moment::end_of(date, self.zone)
    }

    fn eve(&self, years: u64) -> Result<Moment> {
        self.on(-1, years)
    }

    fn end(&self) -> Result<Moment> {
        self.on(self.days as i64 - 1, 0)
    }

    /// The number of the window that an order falls into; NULL for none.
    fn period(&self, there: &Binder<'_>, orders: &Rows) -> Result<Expr> {
        let days = self.days as i64;
        let mut period = lit(ScalarValue::Int64(None));
        for (years, first) in [(1, 2), (0, 0)] {
            let after = |days| ordered_after(there, orders, self.on(days, years)?);
            let (begin, eve, end) = (after(-1 - days)?, after(-1)?, after(days - 1)?);
            period = when(end, lit(ScalarValue::Int64(None)))
                .when(eve, lit(first + 1_i64))
                .when(begin, lit(first))
                .otherwise(period)?;
        }
        Ok(period)
    }
}
