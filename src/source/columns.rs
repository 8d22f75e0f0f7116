//! `columns = 'amount DECIMAL(12,2), "Kod pocztowy" VARCHAR'`: types by name.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result as PlanResult, TableReference, plan_err};
use datafusion::logical_expr::planner::ContextProvider;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// Parses a list of columns with their types.
pub(super) fn parse(text: &str) -> Result<Vec<Field>> {
    let wrong = |error: Error| {
        Error::new(format!("option 'columns': {}", error.message()))
            .hint("write names with types, such as 'amount DECIMAL(12,2), \"Kod\" VARCHAR'")
    };
    let (columns, _) = Parser::new(&GenericDialect {})
        .try_with_sql(&format!("({text})"))
        .and_then(|mut parser| parser.parse_columns())
        .map_err(|error| wrong(error.into()))?;
    let mut config = ConfigOptions::default();
    // Without a zone TIMESTAMPTZ would be read as TIMESTAMP.
    config.execution.time_zone = Some("UTC".to_owned());
    let types = Types(config);
    let schema = SqlToRel::new(&types)
        .build_schema(columns)
        .map_err(|error| wrong(error.into()))?;
    Ok(schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect())
}

/// Columns that were found before keep their types, unless others are given.
pub(super) fn add_pinned(given: &mut Vec<Field>, pinned: &[Field]) {
    for field in pinned {
        if !given.iter().any(|it| it.name() == field.name()) {
            given.push(field.clone());
        }
    }
}

/// Puts the types given in the place of those found, by name.
pub(super) fn apply(given: &[Field], found: &SchemaRef) -> Result<Vec<(Field, DataType)>> {
    for field in given {
        if found.column_with_name(field.name()).is_none() {
            let names = found.fields().iter().map(|field| field.name().as_str());
            return Err(Error::new(format!(
                "column '{}', given by the option 'columns' or found before (segql.lock), is not in the files",
                field.name()
            ))
            .hint_if(crate::error::suggest(field.name(), names.clone()))
            .hint(format!(
                "their columns are {}",
                names.collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(found
        .fields()
        .iter()
        .map(|field| {
            let wanted = given.iter().find(|wanted| wanted.name() == field.name());
            let data_type = wanted.map_or(field.data_type(), |wanted| wanted.data_type());
            (field.as_ref().clone(), data_type.clone())
        })
        .collect())
}

/// The planner asks for types only; nothing can be looked up here.
struct Types(ConfigOptions);

impl ContextProvider for Types {
    fn get_table_source(&self, name: TableReference) -> PlanResult<Arc<dyn TableSource>> {
        plan_err!("table '{name}' not found")
    }

    fn get_function_meta(&self, _name: &str) -> Option<Arc<ScalarUDF>> {
        None
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.0
    }

    fn udf_names(&self) -> Vec<String> {
        vec![]
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        vec![]
    }

    fn udaf_names(&self) -> Vec<String> {
        vec![]
    }

    fn udwf_names(&self) -> Vec<String> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_sql() {
        let fields = parse("amount DECIMAL(12,2), \"Kod\" VARCHAR, d DATE").expect("parses");
        assert_eq!(fields[0].data_type(), &DataType::Decimal128(12, 2));
        assert_eq!(fields[1].name(), "Kod");
        assert_eq!(fields[2].data_type(), &DataType::Date32);
        assert!(parse("amount").is_err());
    }
}
