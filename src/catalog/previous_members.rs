//! `previous_members('name')`: who was in a segment at its latest snapshot before
//! the as-of. The only way a definition may look at its own past.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use datafusion::logical_expr::{cast, lit};
use datafusion::prelude::ident;

use super::Definition;
use super::binder::{Binder, as_source};
use super::key::entity_key;
use super::members_function::from_snapshot;
use super::scope::Scope;
use crate::error::{Error, Result};
use crate::statement::{Body, Kind};

/// The key as the entity names and types it, `label` (NULL for a segment) and
/// `as_of`, the date of the snapshot; no rows when there is none. These columns
/// only, so that a first run can be planned before anything was written.
pub(super) fn function(scope: &Scope<'_, '_>, args: &[Expr]) -> Result<Arc<dyn TableSource>> {
    let binder = scope.binder;
    let name = match args {
        [Expr::Literal(name, _)] => name.try_as_str().flatten(),
        _ => None,
    };
    let Some(name) = name else {
        return Err(Error::new(
            "previous_members takes the name of a segment in quotes: previous_members('vip')",
        ));
    };
    scope.check_named("previous_members", name)?;
    let kinds = [Kind::Segment, Kind::Segmentation];
    let definition = binder.world.catalog.get(name, &kinds)?;
    let date = binder.evaluation.moment.date();
    let record = binder.inputs.previous(&definition.name, date);
    let (key, data_type) = match record {
        Some(record) => {
            let column = record.columns.iter().find(|it| it.name == record.key);
            let data_type = column.map(|it| it.data_type.parse::<DataType>());
            (
                record.key.clone(),
                data_type.transpose()?.unwrap_or(DataType::Utf8),
            )
        }
        None => key_of_entity(binder, definition)?,
    };
    let label = Field::new("label", DataType::Utf8, true);
    let as_of = Field::new("as_of", DataType::Date32, true);
    let Some(record) = record else {
        let fields = vec![Field::new(key, data_type, true), label, as_of];
        let empty = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema: Arc::new(DFSchema::try_from(Schema::new(fields))?),
        });
        return Ok(as_source(empty, None));
    };
    let label = match &record.label {
        Some(column) => cast(ident(column.as_str()), DataType::Utf8),
        None => cast(lit(datafusion::common::ScalarValue::Null), DataType::Utf8),
    };
    let day = cast(lit(record.as_of.to_string()), DataType::Date32);
    let columns = [ident(key), label.alias("label"), day.alias("as_of")];
    let plan = LogicalPlanBuilder::scan("previous", from_snapshot(binder, record)?, None)?
        .project(columns)?
        .build()?;
    Ok(as_source(plan, None))
}

/// Before the first snapshot the entity says what the key is called.
fn key_of_entity(binder: &Binder<'_>, definition: &Definition) -> Result<(String, DataType)> {
    let catalog = binder.world.catalog;
    let named = definition.create.options.text("entity");
    let mut entities = catalog
        .of_kind(Kind::Entity)
        .filter(|entity| named.is_none_or(|name| entity.name == name));
    let entity = match (entities.next(), entities.next()) {
        (Some(entity), None) => entity,
        _ => {
            let message = format!(
                "previous_members('{}') has no snapshot to read yet, and no entity says what its key is called",
                definition.name
            );
            return Err(Error::new(message)
                .hint("CREATE ENTITY … FROM … KEY …, or add WITH (entity = '…')"));
        }
    };
    let key = entity_key(entity);
    let Body::Table { table, .. } = &entity.create.body else {
        return Err(entity.error("an entity has a table"));
    };
    let schema = binder.relation(&table.text)?.schema();
    let data_type = schema.field_with_name(&key)?.data_type().clone();
    Ok((key, data_type))
}
