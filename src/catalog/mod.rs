//! Every definition and the graph they form.
//!
//! A definition is kept as text and syntax tree and planned late, at each use,
//! by a [`Binder`] that holds the as-of, time zone and variables of that use.
//! So nothing goes stale, and one query can look at two dates.

mod any_case;
mod binder;
mod column_names;
mod contract;
mod definition;
mod diff;
mod explain_error;
mod file_column;
mod frozen;
mod graph;
mod growing;
mod guard_rails;
mod information;
mod inputs;
mod key;
mod library;
mod macros;
mod members;
mod members_function;
mod personal;
mod previous_members;
mod priority;
mod reference;
mod references;
mod refuse;
mod relations;
mod row_keys;
mod scope;
mod shared_table;
mod snapshot_table;
mod table_functions;
mod total_order;
mod using_columns;
mod versions;
mod visibility;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result, suggest};
use crate::statement::Kind;

pub use binder::{Binder, Evaluation};
pub use contract::view_of as contract_view;
pub use definition::{Definition, all_options, options_of};
pub use diff::MembersDiff;
pub use frozen::{FrozenPlan, KeptFrozen, check_unedited};
pub use graph::Graph;
pub use growing::growing_source;
pub use guard_rails::{Change, GuardRails};
pub use information::session_tables;
pub use inputs::{Inputs, SourceCache, World};
pub use key::{LABEL_COLUMN, entity_key, fits};
pub use library::{Library, Parameter, bringing_in, libraries, library, parameters};
pub use members::MembersPlan;
pub use reference::{Entry, Found, look_up, reference, reference_listing};
pub use references::{Reference, of_statement, relation_name};
pub use relations::{SYSTEM_RELATIONS, contract_listing, library_listing, segment_listing};
pub use row_keys::marked as definition_of;
pub use shared_table::{SharedTable, SharedTables};
pub use snapshot_table::SnapshotTable;
pub use table_functions::{TABLE_FUNCTIONS, TableFunction};
pub use visibility::files_seen;

/// All definitions by id: what is selected FROM lives in one namespace, entities
/// and checks each in their own.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    definitions: BTreeMap<String, Arc<Definition>>,
    /// Found when first asked for, and again after a change.
    edges: OnceLock<graph::Edges>,
}

impl Catalog {
    /// Adds a definition. A name that is taken is an error unless it says
    /// OR REPLACE (and within a project always).
    pub fn add(&mut self, definition: Definition) -> Result<()> {
        if let Some(other) = self.definitions.get(&definition.id()) {
            let replace = definition.create.or_replace;
            if !replace || (definition.in_project && other.in_project) {
                let place = format!("{}:{}", other.script.name, other.span.start.0);
                let name = &definition.name;
                return Err(definition
                    .error(format!(
                        "{} '{name}' is defined already, at {place}",
                        other.kind()
                    ))
                    .hint(match definition.in_project && other.in_project {
                        true => "a project defines a name once: choose another",
                        false => "write CREATE OR REPLACE to change it, or choose another name",
                    }));
            }
        }
        self.definitions
            .insert(definition.id(), Arc::new(definition));
        self.edges.take();
        Ok(())
    }

    /// What can be selected FROM by a name; of any case when only one fits. A
    /// label's name (`rfm:champions`) finds its segmentation.
    pub fn find(&self, name: &str) -> Option<&Arc<Definition>> {
        self.find_id(split_label(name).0)
    }

    /// A definition by its id, as the graph gives it.
    pub fn find_id(&self, id: &str) -> Option<&Arc<Definition>> {
        self.definitions.get(id).or_else(|| {
            {
                let mut similar = self
                    .definitions
                    .iter()
                    .filter(|(known, _)| known.to_lowercase() == id.to_lowercase());
                similar.next().filter(|_| similar.next().is_none())
            }
            .map(|(_, definition)| definition)
        })
    }

    /// The definition of a name, of one of these kinds.
    pub fn get(&self, name: &str, kinds: &[Kind]) -> Result<&Arc<Definition>> {
        let wanted = match kinds {
            [one] => one.word().to_owned(),
            _ => "segment or segmentation".to_owned(),
        };
        let by_id = kinds
            .iter()
            .find_map(|kind| self.find_id(&definition::id(*kind, name)));
        match by_id.or_else(|| self.find(name)) {
            Some(found) if kinds.contains(&found.kind()) => Ok(found),
            Some(found) => Err(Error::new(format!(
                "'{name}' is a {}, not a {wanted}",
                found.kind()
            ))),
            None => {
                let known = self.all().filter(|known| kinds.contains(&known.kind()));
                Err(Error::new(format!("there is no {wanted} '{name}'"))
                    .hint_if(suggest(name, known.map(|known| known.name.as_str()))))
            }
        }
    }

    /// Takes a definition out. Refuses while another builds on it.
    pub fn remove(&mut self, name: &str, kind: Kind) -> Result<()> {
        let found = Arc::clone(self.get(name, &[kind])?);
        let dependants = Graph::new(self).dependants(&found.id());
        if !dependants.is_empty() {
            return Err(Error::new(format!(
                "{kind} '{}' cannot be dropped: {} build{} on it",
                found.name,
                dependants.join(", "),
                if dependants.len() == 1 { "s" } else { "" }
            ))
            .hint("drop what builds on it first, or change it with CREATE OR REPLACE"));
        }
        self.definitions.remove(&found.id());
        self.edges.take();
        Ok(())
    }

    /// All definitions in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.values()
    }

    /// The segments and segmentations of the project or session, in the order of their
    /// names; libraries offer theirs only.
    pub fn project_segments(&self) -> impl Iterator<Item = &Arc<Definition>> {
        let own = self.all().filter(|it| it.library.is_none());
        own.filter(|it| it.kind().has_members())
    }

    /// All definitions of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Definition>> {
        self.all()
            .filter(move |definition| definition.kind() == kind)
    }
}

/// `rfm:champions` → `rfm`, `champions`.
pub fn split_label(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((segmentation, label)) => (segmentation, Some(label)),
        None => (name, None),
    }
}
