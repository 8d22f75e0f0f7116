//! `DESCRIBE name`.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};

use super::{Engine, Outcome};
use crate::catalog::{
    Binder, Definition, Graph, Inputs, Reference, SharedTables, contract_listing, contract_view,
};
use crate::error::Result;
use crate::sql_type::sql_type_name;
use crate::statement::{Body, Create};

impl Engine {
    /// The columns of a table, source or view; of a segment all that is known.
    pub(super) async fn describe(&self, name: &str) -> Result<Outcome> {
        match self.catalog.find(name).map(AsRef::as_ref) {
            Some(definition) if definition.kind().has_members() && !name.contains(':') => {
                self.describe_segment(definition).await
            }
            Some(Definition {
                create:
                    Create {
                        name,
                        body: Body::Contract(asked),
                        ..
                    },
                ..
            }) => {
                let found = self.columns(contract_view(&name.text)).await.ok();
                Ok(Outcome::of(contract_listing(asked, found.as_deref())?))
            }
            _ => {
                let schema = self.columns(name).await?;
                let column = |value: &dyn Fn(&datafusion::arrow::datatypes::Field) -> String| {
                    let values = schema.fields().iter().map(|field| Some(value(field)));
                    Arc::new(values.collect::<StringArray>()) as _
                };
                let names = column(&|field| field.name().clone());
                let types = column(&|field| sql_type_name(field.data_type()));
                let batch =
                    RecordBatch::try_from_iter([("column_name", names), ("data_type", types)])?;
                Ok(Outcome::of(batch))
            }
        }
    }

    /// What cannot be planned now has neither.
    async fn key_and_entity(&self, definition: &Definition) -> (Option<String>, Option<String>) {
        let Ok(evaluation) = self.evaluation() else {
            return (None, None);
        };
        let world = self.world(&evaluation);
        let mention = Reference::to(&definition.name);
        let Ok(inputs) = Inputs::collect(world, &[mention]).await else {
            return (None, None);
        };
        match Binder::new(world, &inputs, &SharedTables::new()) {
            Ok(binder) => (binder.key_of(definition).ok(), binder.entity(definition)),
            Err(_) => (None, None),
        }
    }

    async fn describe_segment(&self, definition: &Definition) -> Result<Outcome> {
        let graph = Graph::new(&self.catalog);
        let options = &definition.create.options;
        let mut facts: Vec<(&str, Option<String>)> = vec![
            ("name", Some(definition.name.clone())),
            ("kind", Some(definition.kind().to_string())),
            ("description", definition.description.clone()),
        ];
        let (key, entity) = self.key_and_entity(definition).await;
        facts.extend([("entity", entity), ("key", key)]);
        // Those said above are asked of what they come to.
        let said = |option: &str| ["description", "entity", "key"].contains(&option);
        let rest = options.iter().filter(|(option, _)| !said(option));
        facts.extend(rest.map(|(option, value)| (option, Some(value))));
        let columns = match self.columns(&definition.name).await {
            Ok(schema) => schema
                .fields()
                .iter()
                .map(|field| format!("{} {}", field.name(), sql_type_name(field.data_type())))
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => format!("it cannot be planned: {}", error.message()),
        };
        facts.push(("columns", Some(columns)));
        if let Body::Query { labels, .. } = &definition.create.body {
            for label in labels {
                let options = label.options.iter();
                let options: Vec<String> =
                    options.map(|(key, it)| format!("{key} = {it}")).collect();
                let said = match options.is_empty() {
                    true => label.name.clone(),
                    false => format!("{}: {}", label.name, options.join(", ")),
                };
                facts.push(("label", Some(said)));
            }
        }
        let timeless = self.timeless_below(definition);
        facts.push((
            "point_in_time",
            Some(match timeless.is_empty() {
                true => "yes".to_owned(),
                false => format!("no: {} without times", timeless.join(", ")),
            }),
        ));
        facts.push((
            "depends_on",
            Some(graph.builds_on(&definition.name).join(", ")),
        ));
        facts.push((
            "used_by",
            Some(graph.dependants(&definition.name).join(", ")),
        ));
        let last = self.store.snapshots_of(&definition.name).await?.pop();
        facts.push((
            "last_size",
            last.map(|record| format!("{} as of {}", record.rows, record.as_of)),
        ));
        let place = format!("{}:{}", definition.script.name, definition.span.start.0);
        facts.push(("defined_at", Some(place)));
        for (index, line) in definition.text.lines().enumerate() {
            let name = if index == 0 { "definition" } else { " " };
            facts.push((name, Some(line.to_owned())));
        }
        facts.retain(|(_, value)| value.as_deref() != Some("") && value.is_some());
        let names = facts
            .iter()
            .map(|(name, _)| Some(*name))
            .collect::<StringArray>();
        let values = facts
            .iter()
            .map(|(_, value)| value.clone())
            .collect::<StringArray>();
        let batch = RecordBatch::try_from_iter([
            ("property", Arc::new(names) as _),
            ("value", Arc::new(values) as _),
        ])?;
        Ok(Outcome::of(batch))
    }
}
