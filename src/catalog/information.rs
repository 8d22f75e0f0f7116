//! `information_schema` and the tables of the session beside the definitions.

use std::sync::Arc;

use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionContext;

use super::Evaluation;
use super::binder::{Binder, SharedTables};
use super::inputs::{Inputs, World};
use super::references::Reference;
use crate::error::Result;
use crate::session::{Moment, Variables};

/// Names of tables made in the session (`CREATE TABLE`, `CREATE EXTERNAL TABLE`).
pub(super) fn session_tables(session: &SessionContext) -> Vec<String> {
    let catalog = session.catalog("datafusion");
    let schema = catalog.and_then(|catalog| catalog.schema("public"));
    let mut names = schema
        .map(|schema| schema.table_names())
        .unwrap_or_default();
    names.sort();
    names
}

/// A table of `information_schema` that knows definitions as well: each that
/// can be planned now stands there as a view.
pub(super) async fn table(
    relation: &str,
    world: World<'_>,
) -> Result<Option<Arc<dyn TableSource>>> {
    let schema = MemorySchemaProvider::new();
    for name in session_tables(world.session) {
        let table = world.session.table_provider(name.as_str()).await?;
        schema.register_table(name, table)?;
    }
    for (name, view) in views(world).await? {
        schema.register_table(name, view)?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema("public", Arc::new(schema))?;
    let list: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
    list.register_catalog("segql".to_owned(), Arc::new(catalog));
    let information = InformationSchemaProvider::new(list);
    Ok(information.table(relation).await?.map(provider_as_source))
}

async fn views(world: World<'_>) -> Result<Vec<(String, Arc<dyn TableProvider>)>> {
    let evaluation = Evaluation {
        moment: Moment::at(chrono::Utc::now(), chrono_tz::UTC),
        variables: Variables::default(),
    };
    let mut views: Vec<(String, Arc<dyn TableProvider>)> = vec![];
    for definition in world.catalog.all() {
        if definition.id() != definition.name {
            continue;
        }
        let mention = Reference::to(&definition.name);
        // What cannot be planned now has no columns to show.
        let Ok(inputs) = Box::pin(Inputs::collect(world, &[mention])).await else {
            continue;
        };
        let binder = Binder::new(world, &inputs, &evaluation, &SharedTables::new())?;
        if let Ok(plan) = binder.definition(definition) {
            let view = ViewTable::new(plan, Some(definition.text.clone()));
            views.push((definition.name.clone(), Arc::new(view)));
        }
    }
    Ok(views)
}
