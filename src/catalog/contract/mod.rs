//! `base.orders`: the project's own view `orders` as libraries read it.
//!
//! A column that the contract gives a default may be missing; one without may be
//! missing as long as nobody reads it. Values keep their types, as far as these are
//! of the kind asked for; what is wrong with a value is only looked for where the
//! column is read.

mod measured;
mod missing;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::{ScalarValue, TableReference};
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, TableSource, binary_expr, cast, lit, not,
    scalar_subquery, when,
};
use datafusion::prelude::ident;
use datafusion::sql::sqlparser::ast::Value;

use super::Definition;
use super::binder::Binder;
use super::key::fitting;
use super::refuse::Refuse;
use super::visibility::limit;
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::sql_type::sql_type_name;
use crate::statement::{Asked, Values};

pub(super) use measured::time_of;
pub(super) use missing::missing_column;

/// The schema of contracts, and the folder of the library that holds them.
pub(super) const BASE: &str = "base";

/// The view of a project that a contract is about: `base.orders` → `orders`.
pub fn view_of(contract: &str) -> &str {
    contract.split_once('.').map_or(contract, |(_, view)| view)
}

/// The rows of the project's view, with the columns of the contract.
pub(super) fn plan(
    binder: &Binder<'_>,
    definition: &Definition,
    contract: &[Asked],
) -> Result<LogicalPlan> {
    let source = missing::view(binder, definition, contract)?;
    let catalog = binder.world.catalog;
    let name = view_of(&definition.name);
    let name = catalog.find(name).map_or(name, |found| found.name.as_str());
    let event_time = match binder.inputs.sources.get(name) {
        Some(Ok((_, options))) => options.event_time.clone(),
        _ => None,
    };
    let view = View {
        name,
        source,
        event_time,
    };
    let columns: Vec<Expr> = contract
        .iter()
        .filter_map(|asked| view.column(asked).transpose())
        .collect::<Result<_>>()
        .map_err(|error| missing::at_the_view(binder, name, error))?;
    let times = contract.iter().filter(|it| it.values == Values::Time);
    let mut rows = view.scan()?;
    for asked in times.filter(|it| it.never_null) {
        if let Some(condition) = view.has_happened(asked, &binder.evaluation.moment)? {
            rows = rows.filter(condition)?;
        }
    }
    Ok(rows.project(columns)?.build()?)
}

/// What a project has.
struct View<'v> {
    name: &'v str,
    source: Arc<dyn TableSource>,
    /// The time by which it hides what comes later, where it is a source.
    event_time: Option<String>,
}

impl View<'_> {
    fn scan(&self) -> Result<LogicalPlanBuilder> {
        let name = TableReference::bare(self.name);
        Ok(LogicalPlanBuilder::scan(
            name,
            Arc::clone(&self.source),
            None,
        )?)
    }

    /// The column under the contract's name; none where it is missing without a
    /// default.
    fn column(&self, asked: &Asked) -> Result<Option<Expr>> {
        let schema = self.source.schema();
        let Some(field) = field(&schema, &asked.name) else {
            return Ok(asked.default.as_ref().map(|value| {
                let value = default(value, asked.values);
                value.alias(asked.name.as_str())
            }));
        };
        let column = ident(field.name().as_str());
        let mut value = match fits(asked.values, field.data_type()) {
            Fit::AsItIs => column,
            Fit::Cast(data_type) => cast(column, data_type),
            Fit::No => return Err(self.wrong_type(asked, field.data_type())),
        };
        // A time stays a plain column, so that conditions on it reach the files.
        if asked.values != Values::Time
            && let Some(missing) = self.refuse_null(asked)
        {
            value = refused(value, missing)?;
        }
        if asked.values == Values::Money {
            value = self.in_one_currency(asked, value)?;
        }
        Ok(Some(value.alias(asked.name.as_str())))
    }

    /// What is dated after the as-of is not there, whether a source hides it or not. The
    /// limit is a literal of the column's own type, so that conditions reach the files
    /// and states of aggregates can be kept from day to day.
    fn has_happened(&self, asked: &Asked, moment: &Moment) -> Result<Option<Expr>> {
        let schema = self.source.schema();
        let Some(field) = field(&schema, &asked.name) else {
            return Ok(None);
        };
        let (name, data_type) = (field.name().as_str(), field.data_type());
        let time = || ident(name);
        let seen = match data_type {
            DataType::Null => lit(false),
            // Without a date in it, the plan is the same for a series of dates.
            _ if self.event_time.as_deref() == Some(name) => {
                return Ok(self.refuse_null(asked).map(not));
            }
            _ => time().lt_eq(lit(limit(name, data_type, moment, moment.zone())?)),
        };
        // A missing time must not be taken for one that is seen no more.
        Ok(Some(match self.refuse_null(asked) {
            Some(refused) => seen.or(time().is_null().and(refused)),
            None => seen,
        }))
    }

    /// Sums of złoty and leva mean nothing.
    fn in_one_currency(&self, asked: &Asked, value: Expr) -> Result<Expr> {
        let schema = self.source.schema();
        let Some(currency) = field(&schema, "currency") else {
            return Ok(value);
        };
        let currency = || ident(currency.name().as_str());
        let first = self
            .scan()?
            .aggregate(Vec::<Expr>::new(), [min(currency())])?
            .build()?;
        let other = binary_expr(
            currency(),
            Operator::IsDistinctFrom,
            scalar_subquery(Arc::new(first)),
        );
        let message = format!(
            "{}.{} is money of several currencies, which cannot be added or compared",
            self.name, asked.name
        );
        let hint = format!(
            "convert the amounts of {0} into one currency, or keep one: WHERE currency = '…'",
            self.name
        );
        refused(value, Refuse::call(other, &message, &hint))
    }

    /// True never, and an error for the first row without a value.
    fn refuse_null(&self, asked: &Asked) -> Option<Expr> {
        let schema = self.source.schema();
        let field = field(&schema, &asked.name)?;
        let message = format!("{}.{} is NULL in some rows", self.name, asked.name);
        let hint = format!(
            "{}: {}; leave rows without it out of {}, or give it a value",
            asked.name, asked.meaning, self.name
        );
        let missing = ident(field.name().as_str()).is_null();
        (asked.never_null && field.is_nullable()).then(|| Refuse::call(missing, &message, &hint))
    }

    fn wrong_type(&self, asked: &Asked, found: &DataType) -> Error {
        let wanted = match asked.values {
            Values::Id => "a whole number, a text or a UUID",
            Values::Text => "a text",
            Values::Number | Values::Money => "a number",
            Values::Whole => "a whole number",
            Values::Flag => "true or false",
            Values::Time => "a DATE or a TIMESTAMP",
        };
        let word = match asked.values {
            Values::Id | Values::Text => "VARCHAR",
            Values::Number | Values::Money => "DECIMAL(18, 2)",
            other => other.word(),
        };
        let name = &asked.name;
        Error::new(format!(
            "{}.{name} is {}, and libraries need {wanted}",
            self.name,
            sql_type_name(found)
        ))
        .hint(format!("cast it: CAST({name} AS {word}) AS {name}"))
    }
}

fn field<'s>(schema: &'s Schema, name: &str) -> Option<&'s Arc<Field>> {
    let fields = schema.fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let found = fitting(&names, name)?;
    fields.iter().find(|field| field.name() == found)
}

/// The value, where nothing is refused.
fn refused(value: Expr, refuse: Expr) -> Result<Expr> {
    Ok(when(refuse, lit(ScalarValue::Null)).otherwise(value)?)
}

fn fits_time(found: &DataType) -> bool {
    matches!(fits(Values::Time, found), Fit::AsItIs)
}

enum Fit {
    AsItIs,
    Cast(DataType),
    No,
}

fn fits(values: Values, found: &DataType) -> Fit {
    let found = match found {
        DataType::Dictionary(_, inner) => inner,
        other => other,
    };
    let is_text = matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let is_time = matches!(
        found,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
    );
    let fits = match values {
        Values::Id => {
            is_text || found.is_integer() || matches!(found, DataType::FixedSizeBinary(16))
        }
        Values::Text => is_text,
        Values::Number | Values::Money => found.is_numeric(),
        Values::Whole => found.is_integer(),
        Values::Flag => found == &DataType::Boolean,
        Values::Time => is_time,
    };
    match fits {
        true => Fit::AsItIs,
        false if found == &DataType::Null => Fit::Cast(plain(values)),
        // A number or date says as a text what it says.
        false if values == Values::Text && !found.is_nested() && !found.is_binary() => {
            Fit::Cast(DataType::Utf8)
        }
        false => Fit::No,
    }
}

/// The type of what is not there.
fn plain(values: Values) -> DataType {
    match values {
        Values::Id | Values::Text => DataType::Utf8,
        Values::Number | Values::Money => DataType::Decimal128(18, 2),
        Values::Whole => DataType::Int64,
        Values::Flag => DataType::Boolean,
        Values::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

fn default(value: &Value, values: Values) -> Expr {
    let literal = match value {
        Value::SingleQuotedString(text) => lit(text.as_str()),
        Value::Boolean(flag) => lit(*flag),
        Value::Number(number, _) => match number.parse::<i64>() {
            Ok(whole) => lit(whole),
            Err(_) => lit(ScalarValue::Null),
        },
        _ => lit(ScalarValue::Null),
    };
    cast(literal, plain(values))
}
