//! What is said of the library: its families, and all that they define.

use super::Entry;
use crate::catalog::contract::BASE;
use crate::catalog::{Catalog, Definition, Library, libraries};
use crate::error::Result;
use crate::statement::{Body, Label};

/// Every library, and below it what it defines.
pub(super) fn segments() -> Result<Vec<Entry>> {
    let mut all = vec![];
    for library in libraries()? {
        let catalog = library.catalog()?;
        all.push(family(&library, &catalog));
        for definition in library.own(&catalog) {
            all.push(defined(&library, definition));
            all.extend(labels(definition).iter().map(|it| label(definition, it)));
        }
    }
    Ok(all)
}

/// What a library is for, what it reads, what can be set, and what it defines.
fn family(library: &Library, catalog: &Catalog) -> Entry {
    let reads: Vec<&str> = library.reads(catalog).into_iter().collect();
    let mut details = vec![format!("reads: {}", reads.join(", "))];
    details.retain(|_| !reads.is_empty());
    for it in &library.parameters {
        details.push(format!("${} = {}: {}", it.name, it.default, it.about));
    }
    let words = details.join(" ");
    for definition in library.own(catalog) {
        let (kind, name) = (kind(definition), &definition.name);
        let about = definition.description.as_deref().unwrap_or_default();
        let actions = actions(definition).join("\n  ");
        details.push(format!(
            "\n{kind} {name}\n  {}\n  {actions}",
            about.replace('\n', "\n  ")
        ));
    }
    Entry {
        name: library.name.clone(),
        kind: "library",
        call: format!("INCLUDE LIBRARY {}", library.name),
        meaning: library.description.clone(),
        details: details.iter().map(|it| it.trim_end().to_owned()).collect(),
        words,
        ..Entry::default()
    }
}

/// A segment, segmentation, view or contract.
fn defined(library: &Library, definition: &Definition) -> Entry {
    let name = &definition.name;
    let is_contract = library.name == BASE;
    let used = |it: &&crate::catalog::Parameter| definition.text.contains(&format!("${}", it.name));
    let parameters = library.parameters.iter().filter(used);
    let variables = parameters.map(|it| format!("${} = {}: {}", it.name, it.default, it.about));
    let mut details = actions(definition);
    details.extend(variables);
    Entry {
        name: name.clone(),
        kind: kind(definition),
        call: match is_contract {
            true => format!("DESCRIBE {name}"),
            false => format!("SELECT * FROM {name}"),
        },
        meaning: definition.description.clone().unwrap_or_default(),
        words: format!(
            "{} {}",
            actions(definition).join(" "),
            about_whom(definition)
        ),
        details,
        example: (!is_contract).then(|| format!("{};", definition.text)),
    }
}

fn label(definition: &Definition, label: &Label) -> Entry {
    let name = format!("{}:{}", definition.name, label.name);
    let action = label.options.text("action").unwrap_or_default();
    let whole = definition.description.clone().unwrap_or_default();
    Entry {
        kind: "label",
        call: format!("SELECT * FROM \"{name}\""),
        meaning: format!("{}: {action}", label.name),
        details: vec![format!("A label of {}. {whole}", definition.name)],
        words: about_whom(definition),
        name,
        ..Entry::default()
    }
}

fn labels(definition: &Definition) -> &[Label] {
    match &definition.create.body {
        Body::Query { labels, .. } => labels,
        _ => &[],
    }
}

fn kind(definition: &Definition) -> &'static str {
    match &definition.create.body {
        Body::Contract(_) => "contract",
        _ => definition.kind().word(),
    }
}

/// What happens to people in it, or to those of each label.
fn actions(definition: &Definition) -> Vec<String> {
    let action = definition.create.options.text("action");
    let labels = definition.label_actions();
    let actions = action.map(str::to_owned).into_iter().chain(labels);
    actions.map(|it| format!("action: {it}")).collect()
}

/// `customer_id`: somebody who looks for new customers finds them, and not new leads.
fn about_whom(definition: &Definition) -> String {
    let options = &definition.create.options;
    let key = options.list("key").unwrap_or_default().join(" ");
    let tags = options.list("tags").unwrap_or_default().join(" ");
    format!("{key} {tags}")
}
