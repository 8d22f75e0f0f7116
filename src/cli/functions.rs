//! `segql functions [NAME | WORD …]`: the reference.

use super::arguments::Functions;
use super::settings::Settings;
use crate::catalog::{Found, look_up, reference, reference_listing};
use crate::error::Result;
use crate::output::Emitter;

pub(super) fn run(settings: &Settings, arguments: &Functions) -> Result<()> {
    let all = reference()?;
    let asked = arguments.name.join(" ");
    let found = match asked.is_empty() {
        true => Found::Several(all.iter().collect()),
        false => look_up(&all, &asked)?,
    };
    let mut emitter =
        Emitter::new(settings.printer, settings.format, settings.output.clone())?.whole();
    match found {
        Found::Named(entries) => {
            let pages = entries.iter().map(|it| it.page()).collect::<Vec<_>>();
            emitter.text(&pages.join("\n\n"))?;
        }
        Found::Several(entries) => emitter.batch(&reference_listing(entries)?)?,
    }
    emitter.finish()
}
