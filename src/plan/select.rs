//! Selectors: `vip`, `rfm:champions`, `+vip`, `vip+`, `tag:winback`,
//! `kind:segmentation`, `changed`, `failed`, `*`; `+` stands before or behind any.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Definition, Graph};
use crate::error::{Error, Result, suggest};
use crate::statement::Kind;

const HELP: &str = "selectors are names, tag:…, kind:segment, kind:segmentation, changed, failed \
                    and *; + before one adds what it builds on, + behind it what builds on it";

/// What was found out about earlier runs, for `changed` and `failed`.
#[derive(Debug, Default)]
pub struct Known {
    /// Definition or input changed since the last snapshot, or there is none.
    pub changed: BTreeSet<String>,
    /// Failed, or was skipped, in the last run.
    pub failed: BTreeSet<String>,
}

/// Does any of these selectors ask about earlier runs?
pub fn asks_about(selectors: &[String], word: &str) -> bool {
    let bare = |it: &String| it.trim_matches('+').to_owned();
    selectors.iter().any(|it| bare(it) == word)
}

/// The names of the segments and segmentations that selectors choose; without a
/// selector all but those of libraries, which run only when named. One that
/// matches nothing is an error.
pub fn select(
    catalog: &Catalog,
    selectors: &[String],
    exclude: &[String],
    known: &Known,
) -> Result<BTreeSet<String>> {
    let everything = ["*".to_owned()];
    let selectors = match selectors {
        [] => &everything,
        given => given,
    };
    let mut chosen = BTreeSet::new();
    for selector in selectors {
        chosen.extend(one(catalog, selector, known)?);
    }
    for selector in exclude {
        for name in one(catalog, selector, known)? {
            chosen.remove(&name);
        }
    }
    match chosen.is_empty() {
        true => Err(nothing("what is selected is excluded as well").hint(HELP)),
        false => Ok(chosen),
    }
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
    } else if let Some(kind) = bare.strip_prefix("kind:") {
        all(&|it| it.kind().word() == kind)
    } else if let Some(definition) = catalog.find(bare) {
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

fn no_match(catalog: &Catalog, selector: &str, bare: &str) -> Error {
    match bare {
        "*" => nothing("nothing is defined that can be materialised")
            .hint("CREATE SEGMENT … AS SELECT … defines a segment"),
        "changed" => nothing("nothing changed since its last snapshot"),
        "failed" => nothing("nothing failed in the last run"),
        _ => {
            let known = with_members(catalog).map(|it| it.name.as_str());
            nothing(format!("selector '{selector}' matches nothing"))
                .hint_if(suggest(bare, known))
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
