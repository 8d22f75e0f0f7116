//! The segment library: `sql/<library>/*.sql`, embedded, in the users' own
//! language. Its objects live in the schema of their library.

use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::{Catalog, Definition};
use crate::error::{Error, Result, Script, suggest};
use crate::statement;

static SQL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sql");

/// Names of the libraries.
pub fn libraries() -> Vec<String> {
    let mut names: Vec<String> = SQL
        .dirs()
        .map(|folder| folder.path().display().to_string())
        .collect();
    names.sort();
    names
}

impl Catalog {
    /// Adds the definitions of a library; none of them runs unless selected.
    pub fn include(&mut self, library: &str) -> Result<()> {
        let Some(folder) = SQL.get_dir(library) else {
            let known = libraries();
            return Err(Error::usage(format!("there is no library '{library}'"))
                .hint_if(suggest(library, known.iter().map(String::as_str)))
                .hint(format!("libraries are {}", known.join(", "))));
        };
        if self.all().any(|it| it.library.as_deref() == Some(library)) {
            return Ok(());
        }
        let mut files: Vec<_> = folder.files().collect();
        files.sort_by_key(|file| file.path());
        for file in files {
            let name = format!("library:{}", file.path().display());
            let text = file.contents_utf8().unwrap_or_default();
            let script = Arc::new(Script::new(name, text));
            for parsed in statement::parse(&script)? {
                let mut definition = Definition::new(&parsed?, std::path::PathBuf::new(), true)?;
                definition.library = Some(library.to_owned());
                self.add(definition)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_parses_and_stays_in_its_schema() {
        let mut catalog = Catalog::default();
        for library in libraries() {
            catalog.include(&library).expect("parses");
            let mine = catalog
                .all()
                .filter(|it| it.library.as_ref() == Some(&library));
            for definition in mine {
                assert!(
                    definition.name.starts_with(&format!("{library}.")),
                    "{}",
                    definition.name
                );
                assert!(
                    definition.description.is_some(),
                    "{} is not described",
                    definition.name
                );
            }
        }
        assert!(catalog.find("rfm.segments").is_some());
        assert!(
            catalog
                .include("rmf")
                .expect_err("none")
                .to_string()
                .contains("'rfm'")
        );
    }
}
