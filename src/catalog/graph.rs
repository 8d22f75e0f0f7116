//! Who builds on whom.

use std::collections::{BTreeMap, BTreeSet};

use super::frozen::KeptFrozen;
use super::{Catalog, Definition, Reference, split_label};
use crate::error::{Error, Result, suggest};
use crate::source::looks_like_path;
use crate::statement::{Body, Kind};

/// The dependency graph of a catalog's definitions.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    catalog: &'a Catalog,
    edges: &'a Edges,
    kept: Option<&'a KeptFrozen>,
}

/// Who builds on whom directly, by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Edges {
    below: BTreeMap<String, BTreeSet<String>>,
    above: BTreeMap<String, BTreeSet<String>>,
}

impl Edges {
    /// Reads the mentions of every definition.
    fn of(catalog: &Catalog) -> Self {
        let mut edges = Self::default();
        for definition in catalog.all() {
            let id = definition.id();
            let builds_on: BTreeSet<String> = definition
                .references
                .iter()
                .filter(|reference| !reference.previous)
                .chain(everyone(catalog, definition))
                .filter_map(|reference| catalog.find(&reference.name))
                .map(|found| found.name.clone())
                .collect();
            for below in builds_on.iter().filter(|below| **below != id) {
                let above = edges.above.entry(below.clone()).or_default();
                above.insert(id.clone());
            }
            edges.below.insert(id, builds_on);
        }
        edges
    }
}

impl<'a> Graph<'a> {
    /// The graph of a catalog, which keeps it until it changes.
    pub fn new(catalog: &'a Catalog) -> Self {
        let edges = catalog.edges.get_or_init(|| Edges::of(catalog));
        Self {
            catalog,
            edges,
            kept: None,
        }
    }

    /// The same with frozen views whose rows are kept as its ends: what these once
    /// built on does not matter any more.
    pub fn over(self, kept: &'a KeptFrozen) -> Self {
        Self {
            kept: Some(kept),
            ..self
        }
    }

    /// What a definition builds on directly.
    pub fn builds_on(&self, name: &str) -> Vec<&'a str> {
        if self.kept.is_some_and(|kept| kept.contains_key(name)) {
            return vec![];
        }
        let below = self.edges.below.get(name).into_iter().flatten();
        below.map(String::as_str).collect()
    }

    /// All that a definition rests on, itself left out; circles do no harm.
    pub fn below(&self, name: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = self.builds_on(name);
        while let Some(next) = open.pop() {
            if next != name && found.insert(next) {
                open.extend(self.builds_on(next));
            }
        }
        found
    }

    /// Who builds on a definition directly.
    pub fn dependants(&self, name: &str) -> Vec<String> {
        let function = self
            .catalog
            .find_id(name)
            .filter(|found| found.kind() == Kind::Function);
        if let Some(function) = function {
            let callers = self.catalog.all();
            let called = callers.filter(|it| {
                it.id() != function.id() && it.calls.contains(&function.name.to_lowercase())
            });
            return called.map(|caller| caller.id()).collect();
        }
        let above = self.edges.above.get(name).into_iter().flatten();
        above.cloned().collect()
    }

    /// Who builds on a definition, directly or not.
    pub fn above(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for dependant in self.dependants(&next) {
                if found.insert(dependant.clone()) {
                    open.push(dependant);
                }
            }
        }
        found.remove(name);
        found
    }

    /// All that can be selected from among what these rest on, themselves
    /// included, every one behind what it builds on; otherwise in the order of
    /// names.
    pub fn order<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Vec<&'a str>> {
        self.order_above(names, &|_| false)
    }

    /// The same without those that are known already, and what these rest on.
    pub fn order_above<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<&'a str>> {
        let mut walk = Walk {
            graph: *self,
            is_known,
            path: vec![],
            done: BTreeSet::new(),
            order: vec![],
        };
        for name in names {
            if let Some(found) = self.catalog.find(name) {
                walk.visit(&found.name)?;
            }
        }
        Ok(walk.order)
    }

    /// What is wrong with definitions by themselves, by id: names that nobody
    /// defined, and circles. `is_table` knows the tables of the session.
    pub fn faults(&self, is_table: impl Fn(&str) -> bool) -> BTreeMap<String, Error> {
        let mut faults = BTreeMap::new();
        // Whoever is in a circle mentions another who is.
        let mentioned = self.catalog.all().flat_map(|it| &it.references);
        let is_sound = self.order(mentioned.map(|it| it.name.as_str())).is_ok();
        for definition in self.catalog.all() {
            let id = definition.id();
            let names = definition
                .references
                .iter()
                .map(|found| found.name.as_str());
            let own = [definition.name.as_str()];
            let circle = match id == definition.name {
                _ if is_sound => Ok(vec![]),
                true => self.order(own),
                false => self.order(names),
            };
            if let Err(error) = self.check_names(definition, &is_table) {
                faults.insert(id, error);
            } else if let Err(error) = circle
                && error.message().contains(&format!(" {id} "))
            {
                faults.insert(id, error);
            }
        }
        faults
    }

    fn check_names(&self, definition: &Definition, is_table: &impl Fn(&str) -> bool) -> Result<()> {
        // What a library asks of a project is missed when it is used.
        if matches!(definition.create.body, Body::Contract(_)) {
            return Ok(());
        }
        for reference in &definition.references {
            let name = reference.name.as_str();
            let elsewhere = name.starts_with("segql.") || name.starts_with("information_schema.");
            let asked = reference.by_text || reference.by_function;
            if asked || elsewhere || self.catalog.find(name).is_some() || is_table(name) {
                continue;
            }
            let is_path = looks_like_path(name);
            let error = match is_path {
                true if !definition.in_project => continue,
                true => Error::new(format!(
                    "a project's definitions read sources, not files: '{name}'"
                ))
                .hint(format!("add CREATE SOURCE … FROM '{name}'")),
                false => self.unknown(name),
            };
            return Err(error.at(reference.span()).within(&definition.script));
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> Error {
        let known = self.catalog.all().map(|known| known.name.as_str());
        Error::new(format!("'{name}' is not defined")).hint_if(suggest(split_label(name).0, known))
    }
}

/// The tables of entities, for a segmentation that labels whoever is left over,
/// and for what looks at a past that may not be there yet.
fn everyone<'a>(
    catalog: &'a Catalog,
    definition: &Definition,
) -> impl Iterator<Item = &'a Reference> {
    let fills_up = definition.create.options.text("otherwise").is_some();
    let looks_back = definition.references.iter().any(|it| it.previous);
    let entities = catalog
        .of_kind(Kind::Entity)
        .filter(move |_| fills_up || looks_back);
    entities.flat_map(|entity| &entity.references)
}

/// Depth first; the path shows a cycle whole. Written with a stack of its own
/// on the heap, as definitions may nest deeper than a thread's stack.
struct Walk<'g, 'a> {
    graph: Graph<'a>,
    is_known: &'g dyn Fn(&str) -> bool,
    path: Vec<(&'a str, std::vec::IntoIter<&'a str>)>,
    done: BTreeSet<&'a str>,
    order: Vec<&'a str>,
}

impl<'a> Walk<'_, 'a> {
    fn visit(&mut self, name: &'a str) -> Result<()> {
        self.enter(name)?;
        while let Some((current, rest)) = self.path.last_mut() {
            match rest.next() {
                Some(next) => self.enter(next)?,
                None => {
                    let current = *current;
                    self.path.pop();
                    self.done.insert(current);
                    self.order.push(current);
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, name: &'a str) -> Result<()> {
        if self.done.contains(name) || (self.is_known)(name) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|(known, _)| *known == name) {
            return Err(self.cycle(start, name));
        }
        let builds_on = self.graph.builds_on(name).into_iter();
        self.path.push((name, builds_on));
        Ok(())
    }

    fn cycle(&self, start: usize, name: &str) -> Error {
        let mut names: Vec<&str> = self.path[start..].iter().map(|(name, _)| *name).collect();
        names.push(name);
        let message = format!(
            "definitions build on each other in a circle: {}",
            names.join(" → ")
        );
        match self.graph.catalog.find(name) {
            Some(definition) => definition.error(message),
            None => Error::new(message),
        }
        .hint("one of them must do without the next")
    }
}
