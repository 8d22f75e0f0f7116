//! The segment library: `sql/<library>/`, embedded, in the users' own language.
//! Its objects live in the schema of their library.
//!
//! `library.toml` says what a library is for and which variables it has; `sql/base/`
//! holds what libraries ask of the views of a project, a file a view.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::contract::{BASE, view_of};
use super::{Catalog, Definition, Graph};
use crate::error::{Error, Result, Script, suggest};
use crate::session::Variable;
use crate::statement::{self, Body, Parsed};

static SQL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql");

const MANIFEST: &str = "library.toml";

/// A library as its `library.toml` tells of it.
#[derive(Debug, Clone)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its variables.
    pub parameters: Vec<Parameter>,
}

/// A variable of a library.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name, which begins with that of the library.
    pub name: String,
    /// What it is where a project says nothing else.
    pub default: Variable,
    /// What it decides.
    pub about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    description: String,
    #[serde(default)]
    vars: BTreeMap<String, Declared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    default: toml::Value,
    about: String,
}

impl Library {
    fn read(name: &str, manifest: &str) -> Result<Self> {
        let manifest: Manifest = toml::from_str(manifest)
            .map_err(|error| Error::new(format!("library {name}: {}", error.message())))?;
        let parameters = manifest.vars.into_iter().map(|(name, declared)| {
            Ok(Parameter {
                default: Variable::from_toml(&name, &declared.default)?,
                about: declared.about,
                name,
            })
        });
        Ok(Self {
            name: name.to_owned(),
            description: manifest.description,
            parameters: parameters.collect::<Result<_>>()?,
        })
    }

    /// Its definitions, and those of the libraries they build on.
    pub fn catalog(&self) -> Result<Catalog> {
        let mut catalog = Catalog::default();
        catalog.include(&self.name)?;
        Ok(catalog)
    }

    /// Those of a catalog that are its own.
    pub fn own<'c>(&self, catalog: &'c Catalog) -> impl Iterator<Item = &'c Arc<Definition>> {
        let is_own = |it: &&Arc<Definition>| it.library.as_ref() == Some(&self.name);
        catalog.all().filter(is_own)
    }

    /// The views of a project that it reads, by its catalog.
    pub fn reads<'c>(&self, catalog: &'c Catalog) -> BTreeSet<&'c str> {
        let graph = Graph::new(catalog);
        let below = self.own(catalog).flat_map(|it| graph.below(&it.id()));
        let contracts = below.filter_map(|name| catalog.find(name));
        let contracts = contracts.filter(|it| matches!(it.create.body, Body::Contract(_)));
        contracts.map(|it| view_of(&it.name)).collect()
    }
}

/// All libraries in the order of their names.
pub fn libraries() -> Result<Vec<Library>> {
    let mut all: Vec<Library> = SQL
        .dirs()
        .map(|folder| library(&folder.path().display().to_string()))
        .collect::<Result<_>>()?;
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// The variables of libraries, and of those they build on.
pub fn parameters(libraries: &[String]) -> Result<Vec<Parameter>> {
    let mut catalog = Catalog::default();
    for name in libraries {
        catalog.include(name)?;
    }
    catalog.parameters()
}

/// A library by its name.
pub fn library(name: &str) -> Result<Library> {
    let manifest = SQL.get_file(format!("{name}/{MANIFEST}"));
    match manifest.and_then(|file| file.contents_utf8()) {
        Some(manifest) => Library::read(name, manifest),
        None => {
            let known = SQL.dirs().map(|it| it.path().display().to_string());
            let known: BTreeSet<String> = known.collect();
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            Err(Error::usage(format!("there is no library '{name}'"))
                .hint_if(suggest(name, names.iter().copied()))
                .hint(format!("libraries are {}", names.join(", "))))
        }
    }
}

/// The contract of a view, whether a library that reads it was included or not.
pub(super) fn contract_of(view: &str) -> Result<Definition> {
    let file = SQL.get_file(format!("{BASE}/{view}.sql"));
    let file = file.ok_or_else(|| Error::new(format!("no contract is about '{view}'")))?;
    let parsed = parsed(file)?.pop();
    parsed.ok_or_else(|| Error::new(format!("the contract of '{view}' is empty")))
}

/// The definitions in a file of the library.
fn parsed(file: &include_dir::File<'_>) -> Result<Vec<Definition>> {
    let name = format!("library:{}", file.path().display());
    let text = file.contents_utf8().unwrap_or_default();
    let script = Arc::new(Script::new(name, text));
    let definition = |parsed: Result<Parsed>| {
        let parsed = statement::contract(parsed?)?;
        Definition::new(&parsed, PathBuf::new(), true)
    };
    statement::parse(&script)?
        .into_iter()
        .map(definition)
        .collect()
}

/// What to do for a name of a library that is not there; of one that was included only
/// the name behind the dot is wrong.
pub fn bringing_in(name: &str, known: &[String]) -> Option<String> {
    let (schema, _) = name.split_once('.')?;
    let schema = library(schema).ok()?.name;
    let is_own = |it: &String| it.starts_with(&format!("{schema}."));
    (!known.iter().any(is_own)).then(|| {
        format!("INCLUDE LIBRARY {schema}, or library = [\"{schema}\"] in segql.toml, brings it in")
    })
}

impl Catalog {
    /// Adds the definitions of a library and of those it builds on; none of them
    /// runs unless selected.
    pub fn include(&mut self, name: &str) -> Result<()> {
        library(name)?;
        // Of contracts only some may be there.
        if name != BASE && self.has_library(name) {
            return Ok(());
        }
        let folder = SQL.get_dir(name);
        let mut files: Vec<_> = folder.into_iter().flat_map(Dir::files).collect();
        files.sort_by_key(|file| file.path());
        for file in files {
            if file.path().extension().is_some_and(|it| it == "sql") {
                self.include_file(name, file)?;
            }
        }
        Ok(())
    }

    /// The variables of the libraries that were included.
    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        let names: BTreeSet<&str> = self.all().filter_map(|it| it.library.as_deref()).collect();
        let libraries: Vec<Library> = names.into_iter().map(library).collect::<Result<_>>()?;
        Ok(libraries.into_iter().flat_map(|it| it.parameters).collect())
    }

    fn has_library(&self, name: &str) -> bool {
        self.all().any(|it| it.library.as_deref() == Some(name))
    }

    fn include_file(&mut self, library: &str, file: &include_dir::File<'_>) -> Result<()> {
        for mut definition in parsed(file)? {
            definition.library = Some(library.to_owned());
            if library == BASE && self.definitions.contains_key(&definition.id()) {
                continue;
            }
            let mentioned = definition.references.clone();
            self.add(definition)?;
            for mention in mentioned {
                self.include_mentioned(&mention.name)?;
            }
        }
        Ok(())
    }

    /// Brings in what a name of another library needs.
    fn include_mentioned(&mut self, name: &str) -> Result<()> {
        match name.split_once('.') {
            Some((BASE, view)) if self.find(name).is_none() => {
                match SQL.get_file(format!("{BASE}/{view}.sql")) {
                    Some(file) => self.include_file(BASE, file),
                    None => Ok(()),
                }
            }
            Some((other, _)) if other != BASE && SQL.get_dir(other).is_some() => {
                self.include(other)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_parses_is_described_and_stays_in_its_schema() {
        for library in libraries().expect("manifests parse") {
            let catalog = library.catalog().expect("parses");
            for definition in library.own(&catalog) {
                let name = &definition.name;
                let schema = format!("{}.", library.name);
                assert!(name.starts_with(&schema), "{name}");
                assert!(definition.description.is_some(), "{name} is not described");
                let is_segment = definition.kind().has_members();
                assert!(!is_segment || acts(definition), "{name} has no action");
            }
        }
    }

    /// What happens to people in it is said of the segment, or of each of its labels.
    fn acts(definition: &Definition) -> bool {
        let said = definition.label_actions().len();
        let by_label = said > 0 && said == definition.labels().len();
        definition.create.options.text("action").is_some() || by_label
    }

    #[test]
    fn every_variable_is_declared_used_and_called_after_its_library() {
        for library in libraries().expect("manifests parse") {
            let catalog = library.catalog().expect("parses");
            let texts = catalog.all().map(|it| it.text.to_lowercase() + "\n");
            let texts: String = texts.collect();
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let used = texts.split('$').skip(1);
            let used: BTreeSet<&str> = used
                .map(|it| it.split(|c| !is_name(c)).next().unwrap_or_default())
                // A regular expression may end in `$`.
                .filter(|name| !name.is_empty())
                .collect();
            let declared = catalog.parameters().expect("manifests parse");
            let names: BTreeSet<&str> = declared.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(used, names, "{}", library.name);
            for parameter in &library.parameters {
                let prefix = format!("{}_", library.name);
                assert!(parameter.name.starts_with(&prefix), "{}", parameter.name);
            }
        }
    }

    #[test]
    fn a_library_brings_what_it_builds_on_and_nothing_else() {
        let mut catalog = Catalog::default();
        catalog.include("rfm").expect("parses");
        assert!(catalog.find("rfm.segments").is_some());
        assert!(catalog.find("features.purchases").is_some());
        let rfm = library("rfm").expect("there");
        assert_eq!(
            rfm.reads(&catalog).into_iter().collect::<Vec<_>>(),
            ["orders"]
        );
        assert!(catalog.find("base.carts").is_none());
        catalog.include("base").expect("parses");
        assert!(catalog.find("base.carts").is_some());
        let error = catalog.include("rmf").expect_err("none");
        assert!(error.to_string().contains("'rfm'"), "{error}");
    }
}
