//! `information_schema` and the tables of the session beside the definitions.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::common::TableReference;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::TableSource;
use datafusion::prelude::SessionContext;

use super::Definition;
use super::SharedTables;
use super::binder::Binder;
use super::inputs::{Inputs, World};
use super::references::Reference;
use crate::error::Result;

/// Names of tables made in the session (`CREATE TABLE`, `CREATE EXTERNAL TABLE`).
pub fn session_tables(session: &SessionContext) -> Vec<String> {
    let catalog = session.catalog("datafusion");
    let schema = catalog.and_then(|catalog| catalog.schema("public"));
    let mut names = schema
        .map(|schema| schema.table_names())
        .unwrap_or_default();
    names.sort();
    names
}

/// A table of `information_schema` that knows definitions as well, as views.
pub(super) async fn table(
    relation: &str,
    world: World<'_>,
) -> Result<Option<Arc<dyn TableSource>>> {
    let schema = MemorySchemaProvider::new();
    for name in session_tables(world.session) {
        let table = world
            .session
            .table_provider(TableReference::bare(name.as_str()))
            .await?;
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

/// Every definition, planned where that can be done now.
async fn views(world: World<'_>) -> Result<Vec<(String, Arc<dyn TableProvider>)>> {
    let mut views: Vec<(String, Arc<dyn TableProvider>)> = vec![];
    for definition in world.catalog.all() {
        if definition.id() != definition.name {
            continue;
        }
        let planned = with_binder(world, definition, |binder| binder.definition(definition)).await;
        let view: Arc<dyn TableProvider> = match planned {
            Ok(plan) => Arc::new(ViewTable::new(plan, Some(definition.text.clone()))),
            // Its name stands there all the same, without columns.
            Err(_) => Arc::new(EmptyTable::new(Arc::new(Schema::empty()))),
        };
        views.push((definition.name.clone(), view));
    }
    Ok(views)
}

/// Asks a binder about one definition, with what that rests on looked up.
pub(super) async fn with_binder<T>(
    world: World<'_>,
    definition: &Definition,
    ask: impl FnOnce(&Binder<'_>) -> Result<T>,
) -> Result<T> {
    let mention = Reference::to(&definition.name);
    let inputs = Box::pin(Inputs::collect(world, &[mention])).await?;
    ask(&Binder::new(world, &inputs, &SharedTables::new())?)
}
