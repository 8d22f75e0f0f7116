//! `profile('table' [, 'outcome'])`: what each column of a table holds, and how well it
//! tells those with an outcome from those without.

mod column;
mod outcome;
mod query;
mod writing;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource, cast, lit};

use super::arguments::Call;
use super::given::{in_order, scan, values};
use crate::catalog::binder::Binder;
use crate::catalog::personal::Nature;
use crate::error::{Error, Result};
use crate::sql_type::sql_type_name;

use column::Column;
use outcome::Outcome;

/// The table that is looked at.
struct Table<'c> {
    name: &'c str,
    source: Arc<dyn TableSource>,
}

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(1, 2)?;
    let binder = call.binder();
    let table = Table::of(call)?;
    let columns = table.columns(binder)?;
    let outcome = match call.count() {
        2 => Some(Outcome::of(binder, &table, call.name(1)?)?),
        _ => None,
    };
    let names = ["number", "column_name", "type", "kind", "places"];
    let listed = columns.iter().zip(0_i64..).map(|(column, number)| {
        let data_type = sql_type_name(&column.data_type);
        let (kind, places) = column.writing();
        let name = lit(column.name.as_str());
        vec![lit(number), name, lit(data_type), lit(kind), lit(places)]
    });
    let listed = values(&names, listed.collect())?;
    let base = table.base(binder, &columns, outcome.as_ref())?;
    let sql = query::query(&columns, outcome.as_ref());
    let given = [("base", base), ("columns", listed)];
    in_order(call, binder.over(&sql, &given)?)
}

impl<'c> Table<'c> {
    fn of(call: &Call<'c>) -> Result<Self> {
        let name = call.name(0)?;
        let source = call.binder().relation(name)?;
        Ok(Self { name, source })
    }

    fn columns(&self, binder: &Binder<'_>) -> Result<Vec<Column>> {
        let definition = binder.world.catalog.find(self.name);
        let of_nature = |nature| match definition {
            Some(definition) => binder.columns_of_nature(definition, nature),
            None => Ok(Default::default()),
        };
        let personal = of_nature(Nature::Personal)?;
        let sensitive = of_nature(Nature::Sensitive)?;
        let schema = self.source.schema();
        let columns = schema.fields().iter().map(|field| {
            let name = field.name();
            let is_closed = personal.contains(name) || sensitive.contains(name);
            Column::new(name, field.data_type(), is_closed)
        });
        let columns: Vec<Column> = columns.collect();
        match columns.is_empty() {
            false => Ok(columns),
            true => Err(Error::new(format!("'{}' has no columns", self.name))),
        }
    }

    /// The rows with their values, measures and texts, and the outcome.
    fn base(
        &self,
        binder: &Binder<'_>,
        columns: &[Column],
        outcome: Option<&Outcome>,
    ) -> Result<LogicalPlan> {
        let mut found = vec![];
        for (at, column) in columns.iter().enumerate() {
            found.push(column.value().alias(format!("c{at}")));
            if !column.is_shown() {
                continue;
            }
            let text = cast(column.value(), DataType::Utf8);
            found.push(text.alias(format!("t{at}")));
            let measure = column.measure();
            found.extend(measure.map(|it| it.alias(format!("u{at}"))));
        }
        let (value, key): (Expr, Expr) = match outcome {
            Some(Outcome::Column { value, .. }) => (value.clone(), lit(ScalarValue::Null)),
            Some(Outcome::Members { key, .. }) => (lit(ScalarValue::Null), key.clone()),
            None => (lit(ScalarValue::Null), lit(ScalarValue::Null)),
        };
        found.extend([value.alias("outcome"), key.alias("member_key")]);
        let rows = scan(self.name, &self.source)?.project(found)?.build()?;
        match outcome {
            Some(Outcome::Members { keys, .. }) => {
                let names = rows.schema().fields().iter().map(|it| it.name().as_str());
                let names: Vec<&str> = names.filter(|it| *it != "outcome").collect();
                let sql = format!(
                    "SELECT {}, CASE WHEN member_key IS NULL THEN NULL
                                     WHEN who.key IS NULL THEN 0 ELSE 1 END AS outcome
                     FROM rows LEFT JOIN (SELECT DISTINCT key FROM members) AS who
                     ON who.key = member_key",
                    names.join(", ")
                );
                binder.over(&sql, &[("rows", rows), ("members", keys.clone())])
            }
            _ => Ok(rows),
        }
    }
}
