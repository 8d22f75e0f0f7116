//! How well columns tell those with an outcome from those without.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, cast, lit, when};
use datafusion::prelude::ident;

use super::Table;
use super::column::Column;
use super::query::grouped;
use crate::catalog::binder::Binder;
use crate::catalog::key::{common_type, find_key, fitting};
use crate::catalog::refuse::Refuse;
use crate::catalog::table_functions::crowd::keyed;
use crate::catalog::table_functions::given::scan;
use crate::error::{Error, Result, suggest};
use crate::sql_type::sql_type_name;
use crate::statement::Kind;

/// What tells rows with the outcome from those without.
pub(super) enum Outcome {
    /// A column of the table: 1, 0, or NULL for a row that is left out.
    Column { name: String, value: Expr },
    /// The keys of a segment's members, and the column of the table that has them.
    Members { keys: LogicalPlan, key: Expr },
}

impl Outcome {
    pub(super) fn of(binder: &Binder<'_>, table: &Table<'_>, name: &str) -> Result<Self> {
        let schema = table.source.schema();
        let fields = schema.fields().iter();
        let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        if let Some(column) = fitting(&names, name) {
            let data_type = schema.field_with_name(column)?.data_type();
            let value = truth(table.name, column, data_type)?;
            let name = column.to_owned();
            return Ok(Self::Column { name, value });
        }
        let catalog = binder.world.catalog;
        let is_segment = |kind| matches!(kind, Kind::Segment | Kind::Segmentation);
        if !catalog.find(name).is_some_and(|it| is_segment(it.kind())) {
            let all = catalog.all().filter(|it| is_segment(it.kind()));
            let all = all.map(|it| it.name.as_str()).chain(names.iter().copied());
            return Err(Error::new(format!(
                "'{name}' is neither a column of '{}' nor a segment",
                table.name
            ))
            .hint_if(suggest(name, all))
            .hint(format!("its columns are {}", names.join(", "))));
        }
        let members = binder.members_at(name, binder.evaluation.moment)?;
        let own = find_key(table.name, &schema, &members.key)?;
        let own_type = schema.field_with_name(&own)?.data_type().clone();
        let key_type = common_type([Ok(own_type), members.key_type()])?;
        let keys = scan("segment", &members.source)?;
        let keys = keys.project([keyed(&members.key, &key_type)])?.build()?;
        let key = cast(ident(own), key_type);
        Ok(Self::Members { keys, key })
    }

    /// SQL for the information value of columns; of the outcome itself it says nothing.
    pub(super) fn information(&self, shown: &[(usize, &Column)]) -> String {
        let itself = match self {
            Self::Column { name, .. } => Some(name),
            Self::Members { .. } => None,
        };
        let others = shown.iter().filter(|(_, it)| itself != Some(&it.name));
        information(&others.copied().collect::<Vec<_>>())
    }
}

/// 1 for true, 0 for false.
fn truth(table: &str, column: &str, data_type: &DataType) -> Result<Expr> {
    let value = ident(column);
    match data_type {
        DataType::Boolean => Ok(cast(value, DataType::Int64)),
        it if it.is_integer() => {
            let value = cast(value, DataType::Int64);
            let wrong = value
                .clone()
                .not_eq(lit(0_i64))
                .and(value.clone().not_eq(lit(1_i64)));
            let message =
                format!("{table}.{column} has values beside 0 and 1, so it is no outcome");
            let hint = "an outcome is true or false: make a column that says so, or name a segment";
            let refuse = Refuse::call(wrong, &message, hint);
            Ok(when(refuse, lit(ScalarValue::Int64(None))).otherwise(value)?)
        }
        other => Err(Error::new(format!(
            "{table}.{column} is {}, which is no outcome",
            sql_type_name(other)
        ))
        .hint("an outcome is a BOOLEAN or 0 and 1, or the name of a segment")),
    }
}

/// Texts of more values tell rows apart, not people.
const MOST_VALUES: i64 = 50;

/// The information value: the sum over bins of (share of those with the outcome − share of
/// those without) · ln of their ratio (Siddiqi, Credit Risk Scorecards, 2006, chapter 6;
/// Kullback's divergence J, 1959). Half a row is added to both counts of a bin where one
/// of them is 0.
const INFORMATION: &str = "
SELECT number, sum((good - bad) * ln(good / bad)) AS information_value
FROM (
  SELECT number, is_measure,
         (goods + CASE WHEN goods = 0 OR bads = 0 THEN 0.5 ELSE 0.0 END)
           / nullif(CAST(sum(goods) OVER (PARTITION BY number) AS DOUBLE), 0) AS good,
         (bads + CASE WHEN goods = 0 OR bads = 0 THEN 0.5 ELSE 0.0 END)
           / nullif(CAST(sum(bads) OVER (PARTITION BY number) AS DOUBLE), 0) AS bad,
         count(*) OVER (PARTITION BY number) AS different
  FROM (SELECT *, MEASURES AS is_measure FROM (CELLS) AS cells) AS cells) AS shares
WHERE is_measure OR different <= MOST
GROUP BY number";

/// Bins of a number or time have equally many rows each, as far as equal values allow;
/// each text is a bin, and NULL is one.
fn information(shown: &[(usize, &Column)]) -> String {
    let measures = shown.iter().filter(|(_, it)| it.is_measure());
    let numbers: Vec<String> = measures.map(|(at, _)| at.to_string()).collect();
    let cuts = numbers
        .iter()
        .map(|at| format!("quantile_cuts(u{at}, 10) AS k{at}"));
    let cuts: Vec<String> = cuts.collect();
    let rows = |part: &[(usize, &Column)]| {
        let bins = part.iter().map(|(at, column)| match column.is_measure() {
            true => format!("CAST(bin_of(u{at}, k{at}) AS VARCHAR) AS g{at}"),
            false => format!("t{at} AS g{at}"),
        });
        let bins: Vec<String> = bins.collect();
        let cuts = match cuts.is_empty() {
            true => "SELECT 1 AS one".to_owned(),
            false => format!(
                "SELECT {} FROM base WHERE outcome IS NOT NULL",
                cuts.join(", ")
            ),
        };
        format!(
            "(SELECT outcome, {} FROM base CROSS JOIN ({cuts}) AS cuts WHERE outcome IS NOT NULL)",
            bins.join(", ")
        )
    };
    let counts = "CAST(sum(outcome) AS DOUBLE) AS goods, CAST(sum(1 - outcome) AS DOUBLE) AS bads";
    let cells = grouped(shown, "g", "CAST(NULL AS VARCHAR)", counts, &rows);
    let is_measure = match numbers.is_empty() {
        true => "false".to_owned(),
        false => format!("number IN ({})", numbers.join(", ")),
    };
    INFORMATION
        .replace("MEASURES", &is_measure)
        .replace("MOST", &MOST_VALUES.to_string())
        .replace("CELLS", &cells)
}
