//! Selectors: `vip`, `rfm:champions`, `+vip`, `vip+`, `tag:winback`,
//! `kind:segmentation`, `*`.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Definition, Graph};
use crate::error::{Error, Result, suggest};
use crate::statement::Kind;

const HELP: &str = "selectors are names, +name (with what it builds on), name+ (with what builds \
                    on it), tag:…, kind:segment, kind:segmentation and *";

/// The names of the segments and segmentations that selectors choose; without a
/// selector all but those of libraries, which run only when named. One that
/// matches nothing is an error.
pub fn select(catalog: &Catalog, selectors: &[String]) -> Result<BTreeSet<String>> {
    let everything = ["*".to_owned()];
    let selectors = match selectors {
        [] => &everything,
        given => given,
    };
    let mut chosen = BTreeSet::new();
    for selector in selectors {
        chosen.extend(one(catalog, selector)?);
    }
    Ok(chosen)
}

fn one(catalog: &Catalog, selector: &str) -> Result<BTreeSet<String>> {
    let matching = |test: &dyn Fn(&Definition) -> bool| -> BTreeSet<String> {
        with_members(catalog)
            .filter(|definition| test(definition))
            .map(|definition| definition.name.clone())
            .collect()
    };
    let found = if selector == "*" {
        matching(&|it| it.library.is_none())
    } else if let Some(tag) = selector.strip_prefix("tag:") {
        matching(&|it| {
            it.create
                .options
                .list("tags")
                .is_ok_and(|tags| tags.iter().any(|it| it == tag))
        })
    } else if let Some(kind) = selector.strip_prefix("kind:") {
        matching(&|it| it.kind().word() == kind)
    } else {
        return around(catalog, selector);
    };
    match found.is_empty() {
        false => Ok(found),
        true if selector == "*" => Err(nothing("nothing is defined that can be materialised")
            .hint("CREATE SEGMENT … AS SELECT … defines a segment")),
        true => Err(nothing(format!("selector '{selector}' matches nothing")).hint(HELP)),
    }
}

/// A name, with what it builds on (`+name`) or what builds on it (`name+`).
fn around(catalog: &Catalog, selector: &str) -> Result<BTreeSet<String>> {
    let (below, name) = match selector.strip_prefix('+') {
        Some(name) => (true, name),
        None => (false, selector),
    };
    let (above, name) = match name.strip_suffix('+') {
        Some(name) => (true, name),
        None => (false, name),
    };
    let Some(definition) = catalog
        .find(name)
        .filter(|found| found.kind().has_members() || above)
    else {
        let known = with_members(catalog).map(|it| it.name.as_str());
        return Err(nothing(format!("selector '{selector}' matches nothing"))
            .hint_if(suggest(name, known))
            .hint(HELP));
    };
    let graph = Graph::new(catalog);
    let mut names = BTreeSet::from([definition.name.clone()]);
    if below {
        names.extend(
            graph
                .order([definition.name.as_str()])?
                .into_iter()
                .map(str::to_owned),
        );
    }
    if above {
        names.extend(graph.above(&definition.id()));
    }
    names.retain(|name| catalog.find(name).is_some_and(|it| it.kind().has_members()));
    Ok(names)
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
