//! The pages of the library say what there is: every segment, variable and input, and what
//! the demo shop really answers.

use std::path::Path;
use std::process::Command;

use segql::catalog::{Catalog, Library, libraries};
use segql::statement::Body;

use crate::command::{Ran, segql};
use crate::readme::steps;

fn page(name: &str) -> String {
    let path = Path::new("docs/library").join(format!("{name}.md"));
    let page = std::fs::read_to_string(&path);
    page.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Those that have a page of their own: contracts are told of together.
fn families() -> Vec<Library> {
    let all = libraries().expect("manifests parse").into_iter();
    all.filter(|it| it.name != "base").collect()
}

#[test]
fn every_page_names_all_of_its_library() {
    let index = page("README");
    for library in families() {
        let page = page(&library.name);
        let catalog = library.catalog().expect("parses");
        let mut wanted = vec![library.description.clone()];
        for definition in library.own(&catalog) {
            let about = definition.description.as_deref().expect("described");
            let (kind, name) = (definition.kind(), &definition.name);
            wanted.push(format!("| `{name}` | {kind} | {about} |"));
            let action = definition.create.options.text("action");
            wanted.extend(action.map(|it| format!("| {it} |")));
        }
        for it in &library.parameters {
            let default = it.default.to_string().replace('|', "\\|");
            wanted.push(format!("| `{}` | `{default}` | {} |", it.name, it.about));
        }
        let reads = library.reads(&catalog);
        wanted.extend(reads.iter().map(|view| format!("| `{view}` | `")));
        for text in wanted {
            assert!(page.contains(&text), "{}.md lacks: {text}", library.name);
        }
        let listed = format!("| [{0}]({0}.md) | {1} |", library.name, library.description);
        assert!(index.contains(&listed), "README.md lacks: {listed}");
    }
}

#[test]
fn the_page_of_contracts_is_what_they_say() {
    let page = page("contracts");
    let mut contracts = Catalog::default();
    contracts.include("base").expect("parses");
    let mut columns = 0;
    for definition in contracts.all() {
        let name = definition.name.strip_prefix("base.").expect("its schema");
        let about = definition.description.as_deref().expect("described");
        let heading = format!("## {name}\n\n{about}\n");
        assert!(page.contains(&heading), "no heading {name}");
        let Body::Contract(asked) = &definition.create.body else {
            panic!("{name} is no contract");
        };
        for it in asked {
            let default = it
                .default
                .as_ref()
                .map_or(String::new(), ToString::to_string);
            let always = if it.never_null { "yes" } else { "" };
            let (word, meaning) = (it.values.word(), &it.meaning);
            let row = format!(
                "| `{}` | {word} | {default} | {always} | {meaning} |",
                it.name
            );
            assert!(page.contains(&row), "{name} lacks: {row}");
            columns += 1;
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, columns, "nothing else is told of");
}

#[test]
fn the_pages_show_what_the_shop_answers() {
    let families = families().into_iter().map(|it| it.name);
    for name in families.chain(["recommendations".to_owned()]) {
        let steps = steps(&page(&name));
        assert!(!steps.is_empty(), "{name}.md shows nothing");
        for step in steps {
            let arguments = step.command.strip_prefix("segql ").expect("our command");
            let program = segql(Path::new(".")).get_program().to_owned();
            let line = format!("\"{}\" {arguments}", program.to_string_lossy());
            let ran: Ran = Command::new("sh")
                .args(["-c", &line])
                .output()
                .expect("starts")
                .into();
            assert_eq!(ran.code, 0, "{}\n{}", step.command, ran.err);
            let found: Vec<&str> = ran.out.lines().collect();
            assert_eq!(found, step.expected, "{}", step.command);
        }
    }
}
