//! A project on disk: a folder of `.sql` files and a `segql.toml`.
//!
//! Definitions are read from the folder `sql`, or, where there is none, from
//! every `.sql` file below the project. Their order does not matter.

mod config;
mod lock;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;

use crate::catalog::{Catalog, Definition};
use crate::error::{Error, Result, Script};
use crate::statement::{self, Kind, OptionValue, Parsed, Statement};

pub use config::{Config, Target};
use lock::Lock;

/// Name of the file that makes a folder a project.
pub const CONFIG_FILE: &str = "segql.toml";

/// A project: where it is and what its `segql.toml` says.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub root: PathBuf,
    /// Its settings.
    pub config: Config,
}

impl Project {
    /// The project in a folder.
    pub fn open(root: &Path) -> Result<Self> {
        let file = root.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Error::usage(format!("cannot read '{}': {error}", file.display()))
                .hint("a project is a folder with a segql.toml; segql init DIR makes one")
        })?;
        Ok(Self {
            root: std::path::absolute(root)?,
            config: Config::parse(&text, &file.display().to_string())?,
        })
    }

    /// The nearest project from a folder upward.
    pub fn find(start: &Path) -> Result<Option<Self>> {
        match start
            .ancestors()
            .find(|folder| folder.join(CONFIG_FILE).is_file())
        {
            Some(root) => Self::open(root).map(Some),
            None => Ok(None),
        }
    }

    /// Reads all definitions; says of each file that cannot be read why.
    pub fn load(&self) -> Result<Catalog> {
        let mut catalog = Catalog::default();
        for library in &self.config.library {
            catalog.include(library)?;
        }
        self.config.check_defaults()?;
        let lock = Lock::read(&self.root)?;
        for path in self.files()? {
            let shown = path
                .strip_prefix(&self.root)
                .unwrap_or(&path)
                .display()
                .to_string();
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Error::new(format!("cannot read '{shown}': {error}")))?;
            let script = Arc::new(Script::new(shown, text));
            let defaults = self.config.defaults_of(&script.name)?;
            for parsed in statement::parse(&script)? {
                let mut parsed = parsed?;
                if !matches!(parsed.statement, Statement::Create(_)) {
                    return Err(Error::new("a project's files hold definitions only")
                        .at(Some(parsed.span))
                        .within(&script)
                        .hint("run other statements with segql -f"));
                }
                add_defaults(&mut parsed, &defaults);
                let definition = Definition::new(&parsed, self.root.clone(), true);
                let mut definition = definition.map_err(|error| error.within(&script))?;
                if definition.kind() == Kind::Source {
                    lock.pin(&mut definition)?;
                }
                catalog.add(definition)?;
            }
        }
        Ok(catalog)
    }

    /// Pins the columns found in CSV files, so that tomorrow's file cannot turn
    /// a number into text unnoticed.
    pub fn pin(&self, catalog: &Catalog, found: &BTreeMap<String, Vec<Field>>) -> Result<()> {
        Lock::read(&self.root)?
            .with(catalog, found)
            .write(&self.root)
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.root.join("sql");
        let start = if folder.is_dir() {
            folder
        } else {
            self.root.clone()
        };
        let mut files = vec![];
        collect(&start, &mut files, 0)?;
        files.sort();
        Ok(files)
    }
}

/// Gives a definition the options of `[defaults]` that its kind has.
fn add_defaults(parsed: &mut Parsed, defaults: &[(String, OptionValue)]) {
    if let Statement::Create(create) = &mut parsed.statement {
        let known = crate::catalog::options_of(create.kind);
        for (name, value) in defaults {
            if known.contains(&name.as_str()) {
                create.options.add_default(name, value.clone());
            }
        }
    }
}

/// How deep folders may nest; a loop of links ends here.
const MAX_DEPTH: usize = 32;

fn collect(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    let failed = |error| {
        Error::new(format!(
            "cannot read folder '{}': {error}",
            folder.display()
        ))
    };
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, files, depth + 1)?;
        } else if path
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("sql"))
        {
            files.push(path);
        }
    }
    Ok(())
}
