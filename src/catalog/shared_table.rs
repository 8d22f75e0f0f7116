//! Definitions that need not be planned where they are used: their rows were
//! computed, or only their columns matter.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, TableSource};

use super::binder::Binder;
use super::personal::Nature;
use super::row_keys::{names, row_keys};
use super::total_order::declared_keys;
use super::{Definition, Graph, personal};
use crate::error::Result;

/// What stands in the place of a definition's plan.
#[derive(Clone)]
pub struct SharedTable {
    /// Its rows; none, where only its columns matter.
    pub table: Arc<dyn TableSource>,
    /// Columns that tell its rows apart.
    pub keys: Vec<Vec<String>>,
}

/// What stands in the place of definitions, by name.
pub type SharedTables = HashMap<String, SharedTable>;

/// A definition looked at by itself, over stand-ins for what it builds on.
#[derive(Clone)]
pub(super) struct Outline {
    stand_in: SharedTable,
    /// Its columns of each nature that a source gave them.
    natures: [BTreeSet<String>; Nature::ALL.len()],
}

/// Outlines by name.
pub(super) type Outlines = HashMap<String, Outline>;

impl Binder<'_> {
    /// What tells the rows of a plan apart, by the names of its columns.
    pub fn row_keys(&self, plan: &LogicalPlan) -> Vec<Vec<String>> {
        let keys = row_keys(plan, &|name| declared_keys(self, name));
        keys.iter().map(|key| names(key, plan)).collect()
    }

    /// Tables without rows for a definition and what it builds on. Planning over
    /// them takes the time of one definition, however many paths lead down.
    pub fn stand_ins(&self, definition: &Definition) -> Result<SharedTables> {
        let own = self.outline(definition)?.stand_in;
        let mut tables = self.stand_ins_known(definition);
        tables.insert(definition.name.clone(), own);
        Ok(tables)
    }

    pub(super) fn outlined_schema(&self, definition: &Definition) -> Result<SchemaRef> {
        Ok(self.outline(definition)?.stand_in.table.schema())
    }

    fn stand_ins_known(&self, definition: &Definition) -> SharedTables {
        let outlines = self.inputs.outlines();
        let below = Graph::new(self.world.catalog).builds_on(&definition.id());
        let found = below.into_iter().filter_map(|name| {
            let outline = outlines.get(name)?;
            Some((name.to_owned(), outline.stand_in.clone()))
        });
        found.collect()
    }

    /// Columns of a definition that stay out of its snapshots.
    pub(super) fn personal_columns(&self, definition: &Definition) -> Result<BTreeSet<String>> {
        self.columns_of_nature(definition, Nature::Personal)
    }

    /// Columns of a definition that come from those a source calls so.
    pub(super) fn columns_of_nature(
        &self,
        definition: &Definition,
        nature: Nature,
    ) -> Result<BTreeSet<String>> {
        match personal::is_declared(self.inputs, nature) {
            false => Ok(BTreeSet::new()),
            true => Ok(std::mem::take(
                &mut self.outline(definition)?.natures[nature as usize],
            )),
        }
    }

    /// Looks at everything below from the ground up, each once for these inputs.
    fn outline(&self, definition: &Definition) -> Result<Outline> {
        let catalog = self.world.catalog;
        let name = definition.name.as_str();
        let known = |name: &str| self.inputs.outlines().contains_key(name);
        let graph = Graph::new(catalog).over(&self.inputs.frozen);
        for name in graph.order_above([name], &known)? {
            let Some(found) = catalog.find(name) else {
                continue;
            };
            let outline = self.outline_over(found)?;
            self.inputs.outlines().insert(name.to_owned(), outline);
        }
        let outline = self.inputs.outlines().get(name).cloned();
        outline.ok_or_else(|| definition.error("it is not among the definitions"))
    }

    /// Looks at a definition when what it builds on is known.
    fn outline_over(&self, definition: &Definition) -> Result<Outline> {
        let below = self.stand_ins_known(definition);
        let binder = Binder::new(self.world, self.inputs, &below)?;
        let plan = binder.definition(definition)?;
        let natures = Nature::ALL.map(|nature| {
            let mut origins = personal::declared(self.inputs, &definition.name, nature);
            let outlines = self.inputs.outlines();
            for name in below.keys() {
                let known = outlines.get(name).into_iter();
                let columns = known.flat_map(|it| &it.natures[nature as usize]);
                origins.extend(columns.map(|column| (name.clone(), column.clone())));
            }
            match origins.is_empty() {
                true => BTreeSet::new(),
                false => personal::columns(&plan, &origins, nature),
            }
        });
        let empty = EmptyTable::new(Arc::clone(plan.schema().inner()));
        Ok(Outline {
            stand_in: SharedTable {
                table: provider_as_source(Arc::new(empty)),
                keys: binder.row_keys(&plan),
            },
            natures,
        })
    }
}
