//! `COPY … TO 'file'`: the file appears whole or not at all.
//!
//! DataFusion writes in place, so that a failing query destroys what was there.
//! A single local file is written beside its target and takes its name when it
//! is complete; folders and other targets are DataFusion's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;

use crate::error::{Error, Result};

/// A file on its way.
pub(super) struct Pending {
    staged: PathBuf,
    target: PathBuf,
}

/// Sends a COPY into one local file to a place beside it first.
pub(super) fn stage(plan: LogicalPlan) -> Result<(LogicalPlan, Option<Pending>)> {
    let LogicalPlan::Copy(copy) = plan else {
        return Ok((plan, None));
    };
    let url = copy.output_url.trim_start_matches("file://").to_owned();
    let is_file = !url.contains("://") && !url.ends_with('/') && copy.partition_by.is_empty();
    let (Some(name), true) = (Path::new(&url).file_name(), is_file) else {
        return Ok((LogicalPlan::Copy(copy), None));
    };
    let target = std::path::absolute(&url)?;
    // Without an ending it names a folder.
    if target.is_dir() || target.extension().is_none() {
        return Ok((LogicalPlan::Copy(copy), None));
    }
    if target.to_string_lossy().contains(['*', '?', '[']) {
        return Err(
            Error::new(format!("COPY cannot write '{url}': it reads as a pattern"))
                .hint("choose a name without *, ? and [, or write the result with -o"),
        );
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::new(format!("cannot write '{url}': {error}")))?;
    }
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let staged_name = format!(
        ".segql-{}-{number}-{}",
        std::process::id(),
        name.to_string_lossy()
    );
    let staged = target.with_file_name(staged_name);
    let plan = LogicalPlan::Copy(CopyTo {
        output_url: staged.display().to_string(),
        ..copy
    });
    Ok((plan, Some(Pending { staged, target })))
}

impl Pending {
    /// Gives the complete file its name.
    pub(super) fn commit(self) -> Result<()> {
        std::fs::rename(&self.staged, &self.target).map_err(|error| {
            Error::new(format!("cannot write '{}': {error}", self.target.display()))
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.staged);
    }
}
