//! What a table function is called with.

use std::fmt;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use super::reference::TableFunction;
use crate::catalog::Definition;
use crate::catalog::binder::Binder;
use crate::catalog::scope::Scope;
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::statement::Kind;

/// A call of a table function; its arguments are constants.
pub(super) struct Call<'c> {
    pub(super) function: &'static TableFunction,
    scope: &'c Scope<'c, 'c>,
    args: &'c [Expr],
}

impl<'c> Call<'c> {
    pub(super) fn new(
        scope: &'c Scope<'_, '_>,
        function: &'static TableFunction,
        args: &'c [Expr],
    ) -> Self {
        Self {
            function,
            scope,
            args,
        }
    }

    /// Plans for the as-of around the call.
    pub(super) fn binder(&self) -> &'c Binder<'c> {
        self.scope.binder
    }

    /// An error that shows how the function is called.
    pub(super) fn usage(&self) -> Error {
        let bare = self.args.iter().find_map(|it| match it {
            Expr::Column(column) => Some(format!("a name stands in quotes: '{}'", column.name)),
            _ => None,
        });
        Error::usage(format!("{} takes other arguments", self.function.name))
            .hint_if(bare)
            .hint(format!("write {}", self.function.call))
    }

    /// Fails unless there are so many arguments.
    pub(super) fn check_count(&self, least: usize, most: usize) -> Result<()> {
        match (least..=most).contains(&self.args.len()) {
            true => Ok(()),
            false => Err(self.usage()),
        }
    }

    /// How many arguments there are.
    pub(super) fn count(&self) -> usize {
        self.args.len()
    }

    /// An argument that is a text.
    pub(super) fn text(&self, at: usize) -> Option<&'c str> {
        match self.args.get(at) {
            Some(Expr::Literal(value, _)) => value.try_as_str().flatten(),
            _ => None,
        }
    }

    /// An argument that is a whole number of 1 or more; `None` where it is left out.
    pub(super) fn whole_number(&self, at: usize) -> Result<Option<i64>> {
        let Some(argument) = self.args.get(at) else {
            return Ok(None);
        };
        let wrong = || {
            let name = self.function.name;
            let shown = match argument {
                Expr::Literal(value, _) => value.to_string(),
                other => other.to_string(),
            };
            Error::usage(format!(
                "{name} takes whole numbers of 1 or more, not {shown}"
            ))
            .hint(format!("write {}", self.function.call))
        };
        match argument {
            Expr::Literal(value, _) if value.data_type().is_integer() => {
                match value.cast_to(&DataType::Int64) {
                    Ok(ScalarValue::Int64(Some(number))) if number >= 1 => Ok(Some(number)),
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }

    /// Is it a definition that calls it?
    pub(super) fn in_definition(&self) -> bool {
        self.scope.in_definition
    }

    /// The name of a definition or label, which was looked up.
    pub(super) fn name(&self, at: usize) -> Result<&'c str> {
        let name = self.text(at).ok_or_else(|| self.usage())?;
        self.scope.check_named(self.function.name, name)?;
        Ok(name)
    }

    /// The segment or segmentation of that name, or whose label it is.
    pub(super) fn segment(&self, at: usize) -> Result<(&'c str, &'c Definition)> {
        let name = self.name(at)?;
        let kinds = [Kind::Segment, Kind::Segmentation];
        let definition = self.binder().world.catalog.get(name, &kinds)?;
        Ok((name, definition))
    }

    /// A date; the as-of around the call where it is left out.
    pub(super) fn moment(&self, at: usize) -> Result<Moment> {
        let default = &self.binder().evaluation.moment;
        match self.args.get(at) {
            None => Ok(*default),
            Some(when) => moment_of(when, default).map_err(|error| {
                let call = format!("write {}", self.function.call);
                error.hint(call)
            }),
        }
    }

    /// Fails where a window that ends then is not over at the as-of around the call.
    pub(super) fn check_over(&self, end: Moment) -> Result<()> {
        let now = self.binder().evaluation.moment;
        match end.nanos() <= now.nanos() {
            true => Ok(()),
            false => Err(
                Error::usage(format!("the window up to {end} is not over at {now}"))
                    .hint("end it earlier, or give a later as-of"),
            ),
        }
    }

    /// Two dates, the earlier first.
    pub(super) fn span(&self, from: usize, to: usize) -> Result<(Moment, Moment)> {
        let (from, to) = (self.moment(from)?, self.moment(to)?);
        match from.nanos() <= to.nanos() {
            true => Ok((from, to)),
            false => Err(
                Error::usage(format!("the dates go backwards: {from} is after {to}"))
                    .hint("the earlier date comes first"),
            ),
        }
    }
}

/// As it could be written. The optimiser takes scans of one name for the same: two
/// calls that differ need two names.
impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.function.name, args.join(", "))
    }
}

/// The moment that a constant says: a date, an instant, or a text that `--as-of`
/// takes.
pub(in crate::catalog) fn moment_of(when: &Expr, default: &Moment) -> Result<Moment> {
    let wrong = || {
        let shown = match when {
            Expr::Literal(value, _) => value.to_string(),
            computed => computed.to_string(),
        };
        Error::usage(format!("'{shown}' is no date"))
            .hint("dates are constants: DATE '2026-01-31' or '2026-01-31'")
    };
    let Expr::Literal(value, _) = when else {
        return Err(wrong());
    };
    let zone = default.zone();
    let now = chrono::DateTime::from_timestamp_nanos(default.nanos());
    match value {
        ScalarValue::Date32(Some(days)) => {
            let date = NaiveDate::default() + chrono::Duration::days((*days).into());
            Moment::end_of(date, zone)
        }
        value if value.is_null() => Err(wrong()),
        value if value.data_type().is_temporal() => {
            let text = value.cast_to(&DataType::Utf8)?.to_string();
            Moment::parse(&text, zone, now)
        }
        value => match value.try_as_str() {
            Some(Some(text)) => Moment::parse(text, zone, now),
            _ => Err(wrong()),
        },
    }
}
