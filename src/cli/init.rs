//! `segql init DIR`: the shop example as a project of one's own.

use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::arguments::Init;
use super::settings::Settings;
use crate::catalog::Catalog;
use crate::error::{Error, Result, Script};
use crate::run::{Engine, Setup};
use crate::session::Variables;
use crate::statement;

static SQL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/shop/sql");

const FILES: [(&str, &str); 5] = [
    ("segql.toml", include_str!("../../examples/shop/segql.toml")),
    (
        "generate.sql",
        include_str!("../../examples/shop/generate.sql"),
    ),
    ("nightly.sh", include_str!("../../examples/shop/nightly.sh")),
    ("README.md", include_str!("../../examples/shop/README.md")),
    (".gitignore", include_str!("../../examples/shop/.gitignore")),
];

pub(super) async fn run(settings: &Settings, arguments: &Init) -> Result<()> {
    let folder = &arguments.dir;
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || folder.is_file() {
        return Err(
            Error::usage(format!("'{}' is there already", folder.display()))
                .hint("name a folder that does not exist or is empty"),
        );
    }
    write(folder)?;
    settings.printer.note(&format!(
        "making data of {} customers …",
        arguments.customers
    ));
    generate(folder, arguments.customers).await?;
    settings.printer.note(&format!(
        "'{0}' is ready. Next:\n  cd {0}\n  segql run --as-of 2025-12-31\n  segql",
        folder.display()
    ));
    Ok(())
}

fn write(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::from(error).context(format!("cannot write '{}'", folder.display()))
    };
    std::fs::create_dir_all(folder.join("sql")).map_err(failed)?;
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    SQL.extract(folder.join("sql")).map_err(failed)
}

/// Runs the project's own generator, in its folder.
async fn generate(folder: &Path, customers: u64) -> Result<()> {
    std::env::set_current_dir(folder)?;
    let mut variables = Variables::default();
    variables.assign(&format!("customers={customers}"))?;
    let setup = Setup {
        catalog: Catalog::default(),
        time_zone: Some("Europe/Warsaw".to_owned()),
        variables,
        ..Setup::default()
    };
    let mut engine = Engine::new(setup, chrono::Utc::now())?;
    let script = Arc::new(Script::new("generate.sql", FILES[1].1));
    for parsed in statement::parse(&script)? {
        engine.execute(&parsed?).await?;
    }
    Ok(())
}
