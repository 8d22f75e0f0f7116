//! Whom a segment is about: its key, its label, its entity.

use datafusion::arrow::datatypes::{DataType, Schema};

use super::Definition;
use super::binder::Binder;
use crate::error::{Error, Result, suggest};
use crate::sql_type::sql_type_name;
use crate::statement::{Body, Kind};

/// The default name of a segmentation's label column.
pub const LABEL_COLUMN: &str = "label";

impl Binder<'_> {
    /// The entity that a segment is about, if it has one: the one it names, or
    /// the only one whose key it returns.
    pub(super) fn entity_of(
        &self,
        definition: &Definition,
        key: &str,
    ) -> Result<Option<&Definition>> {
        if let Some(name) = definition.create.options.text("entity") {
            let found = self.world.catalog.get(name, &[Kind::Entity]);
            return found.map(|entity| Some(entity.as_ref()));
        }
        let entities = self.world.catalog.of_kind(Kind::Entity);
        let mut fit = entities.filter(|entity| fitting(&[key], &entity_key(entity)).is_some());
        match (fit.next(), fit.next()) {
            (Some(one), Some(other)) => Err(definition
                .error(format!(
                    "{} '{}' could be about {} or {}",
                    definition.kind(),
                    definition.name,
                    one.name,
                    other.name
                ))
                .hint(format!("add WITH (entity = '{}')", one.name))),
            (found, _) => Ok(found.map(AsRef::as_ref)),
        }
    }

    /// The name of the entity that a segment is about.
    pub fn entity(&self, definition: &Definition) -> Option<String> {
        let key = self.key_of(definition).ok()?;
        let entity = self.entity_of(definition, &key).ok()??;
        Some(entity.name.clone())
    }

    /// The key column of a definition.
    pub fn key_of(&self, definition: &Definition) -> Result<String> {
        let schema = self.schema_of(definition)?;
        self.key(definition, &schema)
    }

    /// The key column of a segment.
    pub(super) fn key(&self, definition: &Definition, schema: &Schema) -> Result<String> {
        let key = self.find_key(definition, schema)?;
        let data_type = schema.field_with_name(&key)?.data_type();
        let is_key = data_type.is_integer()
            || matches!(
                data_type,
                DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Utf8View
                    | DataType::FixedSizeBinary(16)
            );
        match is_key {
            true => Ok(key),
            false => Err(definition
                .error(format!(
                    "the key of {} '{}' is {}",
                    definition.kind(),
                    definition.name,
                    sql_type_name(data_type)
                ))
                .hint(format!(
                    "keys are whole numbers or text: CAST({key} AS BIGINT) or AS VARCHAR"
                ))),
        }
    }

    pub(super) fn find_key(&self, definition: &Definition, schema: &Schema) -> Result<String> {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let options = &definition.create.options;
        let among = |wanted: &str| match fitting(&names, wanted) {
            Some(name) => Ok(name.to_owned()),
            None => Err(definition
                .error(format!(
                    "{} '{}' does not return its key '{wanted}'",
                    definition.kind(),
                    definition.name
                ))
                .hint_if(suggest(wanted, names.iter().copied()))
                .hint(format!("it returns {}", names.join(", ")))),
        };
        if let Some(entity) = options.text("entity") {
            let entity = self.world.catalog.get(entity, &[Kind::Entity])?;
            return among(&entity_key(entity));
        }
        if let Some(key) = options.text("key") {
            return among(key);
        }
        let keys: Vec<String> = self
            .world
            .catalog
            .of_kind(Kind::Entity)
            .filter_map(|entity| fitting(&names, &entity_key(entity)).map(str::to_owned))
            .collect();
        match (keys.as_slice(), names.as_slice()) {
            ([key], _) => Ok(key.clone()),
            ([], [only]) => Ok((*only).to_owned()),
            (keys, [first, ..]) if keys.iter().any(|key| key == first) => Ok((*first).to_owned()),
            _ => Err(definition
                .error(format!(
                    "which column of {} '{}' is its key?",
                    definition.kind(),
                    definition.name
                ))
                .hint(format!(
                    "it returns {}; add WITH (key = '…') or CREATE ENTITY … KEY …",
                    names.join(", ")
                ))),
        }
    }

    /// The label column of a segmentation.
    pub(super) fn label_column(
        &self,
        definition: &Definition,
        schema: &Schema,
        key: &str,
    ) -> Result<Option<String>> {
        if definition.kind() != Kind::Segmentation {
            return Ok(None);
        }
        let others: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| *name != key)
            .collect();
        let wanted = definition.create.options.text("label");
        match (wanted, others.as_slice()) {
            (Some(label), others) if others.contains(&label) => Ok(Some(label.to_owned())),
            (None, [only]) => Ok(Some((*only).to_owned())),
            (None, others) if others.contains(&LABEL_COLUMN) => Ok(Some(LABEL_COLUMN.to_owned())),
            _ => Err(definition
                .error(format!(
                    "which column of segmentation '{}' is its label?",
                    definition.name
                ))
                .hint(format!(
                    "beside the key it returns {}; add WITH (label = '…')",
                    others.join(", ")
                ))),
        }
    }
}

/// A type that keys of these types can be compared in: 17 and '17' agree.
pub(super) fn common_type(types: impl IntoIterator<Item = Result<DataType>>) -> Result<DataType> {
    let types: Vec<DataType> = types.into_iter().collect::<Result<_>>()?;
    let small = |it: &DataType| it.is_integer() && *it != DataType::UInt64;
    Ok(match types.as_slice() {
        [first, rest @ ..] if rest.iter().all(|it| it == first) => first.clone(),
        all if all.iter().all(small) => DataType::Int64,
        _ => DataType::Utf8View,
    })
}

/// The one among these names that is meant, whatever its case.
pub(super) fn fitting<'n>(names: &[&'n str], wanted: &str) -> Option<&'n str> {
    if let Some(same) = names.iter().find(|name| **name == wanted) {
        return Some(same);
    }
    let mut similar = names
        .iter()
        .filter(|name| name.to_lowercase() == wanted.to_lowercase());
    similar.next().filter(|_| similar.next().is_none()).copied()
}

/// The column of a table that is the key of members.
pub(super) fn find_key(table: &str, schema: &Schema, wanted: &str) -> Result<String> {
    let fields = schema.fields().iter();
    let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
    let found = fitting(&names, wanted).map(str::to_owned);
    found.ok_or_else(|| {
        Error::new(format!(
            "'{table}' has no column '{wanted}', the key of members"
        ))
        .hint(format!("its columns are {}", names.join(", ")))
    })
}

/// Is a column the one that a key is called?
pub fn fits(column: &str, key: &str) -> bool {
    fitting(&[column], key).is_some()
}

/// The key column of an entity, as written.
pub fn entity_key(entity: &Definition) -> String {
    match &entity.create.body {
        Body::Table { key, .. } => match key.quote_style {
            Some(_) => key.value.clone(),
            None => key.value.to_lowercase(),
        },
        _ => String::new(),
    }
}
