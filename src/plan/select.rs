//! Selectors: `vip`, `rfm:champions`, `+vip`, `vip+`, `tag:winback`, `kind:segmentation`,
//! `rfm.*` (a library), `changed`, `failed`, `*`; `+` stands before or behind any.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Definition, Graph, bringing_in, split_label};
use crate::error::{Error, Result, suggest};
use crate::statement::Kind;

const HELP: &str = "selectors are names, tag:…, kind:segment, kind:segmentation, library.*, \
                    changed, failed and *; + before one adds what it builds on, + behind it what builds on it";

/// What was found out about earlier runs, for `changed` and `failed`.
#[derive(Debug, Default)]
pub struct Known {
    /// Definition or input changed since the last snapshot, or there is none.
    pub changed: BTreeSet<String>,
    /// Failed, or was skipped, in the last run.
    pub failed: BTreeSet<String>,
}

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Which segments; all when empty.
    pub selectors: Vec<String>,
    /// Which of these not.
    pub exclude: Vec<String>,
    /// A selector that matches nothing is no error.
    pub allow_empty: bool,
}

impl Selection {
    /// One segment.
    pub fn of(name: String) -> Self {
        Self {
            selectors: vec![name],
            ..Self::default()
        }
    }

    /// Does any of its selectors ask about earlier runs by this word?
    pub fn asks_about(&self, word: &str) -> bool {
        let all = self.selectors.iter().chain(&self.exclude);
        all.into_iter().any(|it| it.trim_matches('+') == word)
    }
}

/// The names of the segments and segmentations that selectors choose; without a
/// selector all but those of libraries, which run only when named. One that
/// matches nothing is an error.
pub fn select(catalog: &Catalog, selection: &Selection, known: &Known) -> Result<BTreeSet<String>> {
    let everything = ["*".to_owned()];
    let selectors = match selection.selectors.as_slice() {
        [] => &everything,
        given => given,
    };
    let mut chosen = BTreeSet::new();
    for selector in selectors {
        match one(catalog, selector, known) {
            Ok(names) => chosen.extend(names),
            Err(_) if selection.allow_empty => {}
            Err(error) => return Err(error),
        }
    }
    for selector in &selection.exclude {
        match one(catalog, selector, known) {
            Ok(names) => chosen.retain(|name| !names.contains(name)),
            // Where nothing failed or changed there is nothing to leave out.
            Err(_) if selection.allow_empty || is_state(selector) => {}
            Err(error) => return Err(error),
        }
    }
    match chosen.is_empty() && !selection.allow_empty {
        true => Err(nothing("what is selected is excluded as well").hint(HELP)),
        false => Ok(chosen),
    }
}

fn is_state(selector: &str) -> bool {
    matches!(selector.trim_matches('+'), "changed" | "failed")
}

fn one(catalog: &Catalog, selector: &str, known: &Known) -> Result<BTreeSet<String>> {
    let (below, bare) = match selector.strip_prefix('+') {
        Some(bare) => (true, bare),
        None => (false, selector),
    };
    let (above, bare) = match bare.strip_suffix('+') {
        Some(bare) => (true, bare),
        None => (false, bare),
    };
    let mut found = matching(catalog, selector, bare, known)?;
    // Of a view or source only what builds on it can run.
    if !above {
        found.retain(|name| has_members(catalog, name));
        if found.is_empty() {
            return Err(no_match(catalog, selector, bare));
        }
    }
    let graph = Graph::new(catalog);
    let base = found.clone();
    if below {
        let order = graph.order(base.iter().map(String::as_str))?;
        found.extend(order.into_iter().map(str::to_owned));
    }
    if above {
        for name in &base {
            found.extend(graph.above(name));
        }
    }
    found.retain(|name| has_members(catalog, name));
    Ok(found)
}

fn has_members(catalog: &Catalog, name: &str) -> bool {
    catalog
        .find_id(name)
        .is_some_and(|it| it.kind().has_members())
}

/// What a selector names by itself, without its `+`.
fn matching(
    catalog: &Catalog,
    selector: &str,
    bare: &str,
    known: &Known,
) -> Result<BTreeSet<String>> {
    let all = |test: &dyn Fn(&Definition) -> bool| -> BTreeSet<String> {
        with_members(catalog)
            .filter(|definition| test(definition))
            .map(|definition| definition.name.clone())
            .collect()
    };
    let found = if bare == "*" {
        all(&|it| it.library.is_none())
    } else if let Some(tag) = bare.strip_prefix("tag:") {
        let has = |tags: Vec<String>| tags.iter().any(|it| it == tag);
        all(&|it| it.create.options.list("tags").is_ok_and(has))
    } else if let Some(library) = bare.strip_suffix(".*") {
        all(&|it| it.library.as_deref() == Some(library))
    } else if let Some(kind) = bare.strip_prefix("kind:") {
        all(&|it| it.kind().word() == kind && it.library.is_none())
    } else if let Some(definition) = catalog.find(bare).filter(|it| has_label(it, bare)) {
        BTreeSet::from([definition.name.clone()])
    } else if bare == "changed" {
        known.changed.clone()
    } else if bare == "failed" {
        known.failed.clone()
    } else {
        return Err(no_match(catalog, selector, bare));
    };
    match found.is_empty() {
        false => Ok(found),
        true => Err(no_match(catalog, selector, bare)),
    }
}

/// `lab:nope` names nothing when the labels of `lab` are known, and `vip:nope`
/// nothing of a segment.
fn has_label(definition: &Definition, bare: &str) -> bool {
    let labels = definition.labels();
    match split_label(bare).1 {
        None => true,
        Some("") => false,
        Some(_) if definition.kind() != Kind::Segmentation => false,
        Some(label) => labels.is_empty() || labels.contains(&label),
    }
}

fn no_match(catalog: &Catalog, selector: &str, bare: &str) -> Error {
    match bare {
        "*" => nothing("nothing is defined that can be materialised")
            .hint("CREATE SEGMENT … AS SELECT … defines a segment"),
        "changed" => nothing("nothing changed since its last snapshot"),
        "failed" => nothing("nothing failed in the last run"),
        _ if catalog
            .find(bare)
            .is_some_and(|it| !it.kind().has_members()) =>
        {
            nothing(format!(
                "'{bare}' is no segment, and has no members to write"
            ))
            .hint(format!("{bare}+ selects the segments that build on it"))
        }
        _ if bare.starts_with("tag:") => {
            let tags = with_members(catalog).filter_map(|it| it.create.options.list("tags").ok());
            let tags: BTreeSet<String> = tags.flatten().map(|tag| format!("tag:{tag}")).collect();
            let known = Vec::from_iter(&tags);
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            let listed = (!known.is_empty()).then(|| format!("there are {}", known.join(", ")));
            nothing(format!("selector '{selector}' matches nothing"))
                .hint_if(suggest(bare, known.iter().copied()))
                .hint_if(listed)
        }
        _ => {
            let known = with_members(catalog).map(|it| it.name.clone());
            let known: Vec<String> = known.collect();
            nothing(format!("selector '{selector}' matches nothing"))
                .hint_if(bringing_in(bare, &known))
                .hint_if(suggest(bare, known.iter().map(String::as_str)))
                .hint(HELP)
        }
    }
}

fn with_members(catalog: &Catalog) -> impl Iterator<Item = &Definition> {
    [Kind::Segment, Kind::Segmentation]
        .into_iter()
        .flat_map(|kind| catalog.of_kind(kind))
        .map(AsRef::as_ref)
}

fn nothing(message: impl Into<String>) -> Error {
    Error::usage(message)
}
