//! What makes a query a segment: one row per key, who is left over, a label's
//! own rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableSource, cast, lit, when,
};
use datafusion::prelude::{coalesce, ident};

use super::Definition;
use super::binder::{Binder, as_source};
use super::key::{LABEL_COLUMN, entity_key, fitting};
use crate::error::{Error, Result, suggest};
use crate::sql_type::sql_type_name;
use crate::statement::Kind;

/// A segment ready to be materialised.
#[derive(Debug, Clone)]
pub struct MembersPlan {
    /// Its rows in the order of the key, structs taken apart.
    pub plan: LogicalPlan,
    /// The key column.
    pub key: String,
    /// The label column of a segmentation.
    pub label: Option<String>,
    /// May a key have several labels, a row each?
    pub several: bool,
    /// The column that says whether the entity lists the key, where it was asked for.
    pub is_listed: Option<&'static str>,
}

/// No column of a query is called so by accident.
const IS_LISTED: &str = "segql is listed";

impl Binder<'_> {
    /// The plan that a snapshot is made of.
    pub fn members(&self, definition: &Definition) -> Result<MembersPlan> {
        let source = self.source_of(definition)?;
        let key = self.key(definition, &source.schema())?;
        let label = self.label_column(definition, &source.schema(), &key)?;
        let first = |name: &str| name == key || Some(name) == label.as_deref();
        let personal = self.personal_columns(definition)?;
        let schema = source.schema();
        let mut names = schema.fields().iter().map(|field| field.name());
        if let Some(name) = names.find(|name| name.eq_ignore_ascii_case("as_of")) {
            return Err(definition
                .error(format!(
                    "{} '{}' returns a column '{name}', which is the name of the folder that says \
                     the date of a snapshot",
                    definition.kind(),
                    definition.name
                ))
                .hint("give it another name"));
        }
        if let Some(label) = label.as_ref().filter(|label| personal.contains(*label)) {
            return Err(definition
                .error(format!(
                    "the label '{label}' of segmentation '{}' comes from a personal column",
                    definition.name
                ))
                .hint("labels name groups; they are kept in snapshots and records"));
        }
        if personal.contains(&key) {
            return Err(definition
                .error(format!(
                    "the key '{key}' of {} '{}' comes from a personal column",
                    definition.kind(),
                    definition.name
                ))
                .hint("keys are kept in snapshots; choose one that names nobody by itself"));
        }
        let mut columns = vec![ident(key.as_str())];
        columns.extend(label.as_deref().map(ident));
        columns.extend(flat_columns(&source.schema(), |name| {
            first(name) || personal.contains(name)
        }));
        let several = definition.has_several_labels();
        let also = label.as_deref().filter(|_| several);
        let order: Vec<_> = std::iter::once(key.as_str())
            .chain(also)
            .map(|name| ident(name).sort(true, true))
            .collect();
        let plan =
            LogicalPlanBuilder::scan(TableReference::bare(definition.name.as_str()), source, None)?
                .project(columns)?
                .sort(order)?
                .build()?;
        Ok(MembersPlan {
            plan,
            key,
            label,
            several,
            is_listed: None,
        })
    }

    /// The same with a last column that says whether an entity lists the key; keys
    /// are compared as texts, so that 17 and '17' agree.
    pub fn members_listed(
        &self,
        definition: &Definition,
        entity: &Definition,
    ) -> Result<MembersPlan> {
        let members = self.members(definition)?;
        let listed = self.keys_of_entity(entity)?;
        let (LogicalPlan::Sort(own), LogicalPlan::Sort(listed_keys)) = (members.plan, listed.plan)
        else {
            return Err(definition.error("members come sorted"));
        };
        let text = |name: String| cast(ident(name), DataType::Utf8).alias("key");
        let everyone = LogicalPlanBuilder::from(listed_keys.input.as_ref().clone())
            .project([text(listed.key)])?
            .distinct()?
            .alias("everyone")?
            .build()?;
        let of = |relation: &str, name: &str| Expr::Column(Column::new(Some(relation), name));
        let fields = own.input.schema().fields().iter();
        let columns = fields.map(|field| of("own", field.name()).alias(field.name()));
        let is_listed = of("everyone", "key").is_not_null().alias(IS_LISTED);
        let columns: Vec<Expr> = columns.chain([is_listed]).collect();
        let order = std::iter::once(&members.key).chain(members.label.as_ref());
        let order: Vec<_> = order
            .map(|name| ident(name.as_str()).sort(true, true))
            .collect();
        let same = cast(of("own", &members.key), DataType::Utf8).eq(of("everyone", "key"));
        let plan = LogicalPlanBuilder::from(own.input.as_ref().clone())
            .alias("own")?
            .join_on(everyone, JoinType::Left, [same])?
            .project(columns)?
            .sort(order)?
            .build()?;
        Ok(MembersPlan {
            plan,
            key: members.key,
            label: members.label,
            several: members.several,
            is_listed: Some(IS_LISTED),
        })
    }

    /// The keys of everyone an entity lists, in order.
    pub fn keys_of_entity(&self, entity: &Definition) -> Result<MembersPlan> {
        let everyone = self.definition(entity)?;
        let schema = Arc::clone(everyone.schema().inner());
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let wanted = entity_key(entity);
        let key = fitting(&names, &wanted).ok_or_else(|| {
            entity
                .error(format!(
                    "entity '{}' has no column '{wanted}' for its key",
                    entity.name
                ))
                .hint_if(suggest(&wanted, names.iter().copied()))
                .hint(format!("its columns are {}", names.join(", ")))
        })?;
        let plan = LogicalPlanBuilder::from(everyone.clone())
            .project([ident(key)])?
            .sort([ident(key).sort(true, true)])?
            .build()?;
        Ok(MembersPlan {
            plan,
            key: key.to_owned(),
            label: None,
            several: false,
            is_listed: None,
        })
    }
}

/// A column each; a struct `score` becomes `score.r`, `score.f`, ….
pub(super) fn flat_columns(schema: &Schema, left_out: impl Fn(&str) -> bool) -> Vec<Expr> {
    let mut columns = vec![];
    for field in schema
        .fields()
        .iter()
        .filter(|field| !left_out(field.name()))
    {
        flatten(
            field,
            ident(field.name().as_str()),
            field.name(),
            &mut columns,
        );
    }
    columns
}

fn flatten(field: &Field, value: Expr, name: &str, columns: &mut Vec<Expr>) {
    match field.data_type() {
        DataType::Struct(parts) => {
            for part in parts {
                let name = format!("{name}.{}", part.name());
                flatten(
                    part,
                    value.clone().field(part.name().as_str()),
                    &name,
                    columns,
                );
            }
        }
        _ => columns.push(value.alias(name)),
    }
}

/// Gives members of the entity whom the query leaves out the label `otherwise`.
pub(super) fn with_otherwise(
    binder: &Binder<'_>,
    definition: &Definition,
    plan: LogicalPlan,
) -> Result<LogicalPlan> {
    let options = &definition.create.options;
    let Some(otherwise) = options.text("otherwise") else {
        return Ok(plan);
    };
    let schema = Arc::clone(plan.schema().inner());
    let key = binder.find_key(definition, &schema)?;
    let label = binder.label_column(definition, &schema, &key)?;
    let entity = binder.entity_of(definition, &key)?.ok_or_else(|| {
        definition
            .error("'otherwise' needs an entity that lists everyone")
            .hint(format!("CREATE ENTITY … FROM … KEY {key}"))
    })?;
    let listed = binder.keys_of_entity(entity)?;
    let LogicalPlan::Sort(sorted) = listed.plan else {
        return Err(entity.error("the keys of an entity come sorted"));
    };
    let own = schema.field_with_name(&key)?.data_type();
    let theirs = sorted.input.schema().field(0).data_type();
    if own.is_integer() != theirs.is_integer() {
        return Err(definition
            .error(format!(
                "the key '{key}' is {} here but {} in entity '{}'",
                sql_type_name(own),
                sql_type_name(theirs),
                entity.name
            ))
            .hint("cast it, so that both are of one type"));
    }
    let everyone = LogicalPlanBuilder::from(sorted.input.as_ref().clone())
        .project([ident(listed.key).alias("key")])?
        .alias("everyone")?
        .build()?;
    let column = |name: &str| Expr::Column(Column::new(Some("found"), name));
    let everyone_key = || Expr::Column(Column::new(Some("everyone"), "key"));
    let columns = schema.fields().iter().map(|field| {
        let name = field.name().as_str();
        let value = if name == key {
            coalesce(vec![column(name), everyone_key()])
        } else if Some(name) == label.as_deref() {
            when(column(&key).is_null(), lit(otherwise))
                .otherwise(column(name))
                .unwrap_or_else(|_| column(name))
        } else {
            column(name)
        };
        value.alias(name)
    });
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan)
        .alias("found")?
        .join_on(everyone, JoinType::Full, [column(&key).eq(everyone_key())])?
        .project(columns)?
        .build()?)
}

/// `"rfm:champions"`: the rows of a segmentation with one label.
pub(super) fn label_of(
    binder: &Binder<'_>,
    definition: &Definition,
    source: Arc<dyn TableSource>,
    wanted: &str,
) -> Result<Arc<dyn TableSource>> {
    if definition.kind() != Kind::Segmentation {
        return label(definition, source, None, wanted);
    }
    let schema = source.schema();
    let key = binder.key(definition, &schema)?;
    let column = binder.label_column(definition, &schema, &key)?;
    label(definition, source, column.as_deref(), wanted)
}

/// The rows with one label in a column.
pub(super) fn label(
    definition: &Definition,
    source: Arc<dyn TableSource>,
    column: Option<&str>,
    label: &str,
) -> Result<Arc<dyn TableSource>> {
    if definition.kind() != Kind::Segmentation {
        return Err(Error::new(format!(
            "'{}' is a {} and has no labels such as '{label}'",
            definition.name,
            definition.kind()
        )));
    }
    let labels = definition.labels();
    if !labels.is_empty() && !labels.contains(&label) {
        return Err(Error::new(format!(
            "segmentation '{}' has no label '{label}'",
            definition.name
        ))
        .hint_if(suggest(label, labels.iter().copied()))
        .hint(format!("its labels are {}", labels.join(", "))));
    }
    let column = column.unwrap_or(LABEL_COLUMN);
    let plan =
        LogicalPlanBuilder::scan(TableReference::bare(definition.name.as_str()), source, None)?
            .filter(ident(column).eq(lit(label)))?
            .build()?;
    Ok(as_source(plan, None))
}
