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
use datafusion::logical_expr::{LogicalPlanBuilder, TableSource};
use datafusion::prelude::SessionContext;

use super::Definition;
use super::SharedTables;
use super::binder::Binder;
use super::inputs::{Inputs, World};
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

/// Every definition with its columns, where it can be planned now.
async fn views(world: World<'_>) -> Result<Vec<(String, Arc<dyn TableProvider>)>> {
    let relations = || world.catalog.all().filter(|it| it.id() == it.name);
    let inputs = Inputs::of(world, relations()).await.unwrap_or_default();
    let binder = Binder::new(world, &inputs, &SharedTables::new())?;
    let view = |definition: &Arc<Definition>| -> Result<Arc<dyn TableProvider>> {
        let schema = binder.schema_of(definition)?;
        let scan = TableReference::bare(definition.name.as_str());
        let rows = provider_as_source(Arc::new(EmptyTable::new(schema)));
        let plan = LogicalPlanBuilder::scan(scan, rows, None)?.build()?;
        Ok(Arc::new(ViewTable::new(
            plan,
            Some(definition.text.clone()),
        )))
    };
    let views = relations().map(|definition| {
        // Without columns its name stands there all the same.
        let view = view(definition)
            .unwrap_or_else(|_| Arc::new(EmptyTable::new(Arc::new(Schema::empty()))));
        (definition.name.clone(), view)
    });
    Ok(views.collect())
}
