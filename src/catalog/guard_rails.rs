//! Guard rails: between which sizes a segment is plausible, and how much of it
//! may change from one date to the next.

use crate::error::{Error, Exit, Result};
use crate::statement::Options;

/// `min_size`, `max_size` and `max_change` of a segment or label.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GuardRails {
    /// The fewest members.
    pub min_size: Option<u64>,
    /// The most members.
    pub max_size: Option<u64>,
    /// The largest share that may enter and leave, of the previous size.
    pub max_change: Option<f64>,
}

impl GuardRails {
    /// Reads the options of a segment or label.
    pub fn read(options: &Options) -> Result<Self> {
        let rails = Self {
            min_size: size(options, "min_size")?,
            max_size: size(options, "max_size")?,
            max_change: share(options, "max_change")?,
        };
        match (rails.min_size, rails.max_size) {
            (Some(least), Some(most)) if least > most => Err(Error::new(format!(
                "min_size = {least} is more than max_size = {most}: nothing fits between them"
            ))
            .at(options.span("max_size"))),
            _ => Ok(rails),
        }
    }

    /// Fails when a size lies outside.
    pub fn check_size(&self, what: &str, size: u64) -> Result<()> {
        let (limit, how) = match (self.min_size, self.max_size) {
            (Some(least), _) if size < least => (format!("min_size = {least}"), "fewer"),
            (_, Some(most)) if size > most => (format!("max_size = {most}"), "more"),
            _ => return Ok(()),
        };
        let message = format!("{what} has {size} members, {how} than {limit} allows");
        Err(Error::new(message).exit(Exit::CheckFailed))
    }

    /// Fails when too many entered and left since the previous snapshot.
    pub fn check_change(&self, what: &str, change: Change) -> Result<()> {
        let (Some(most), Some(share)) = (self.max_change, change.share()) else {
            return Ok(());
        };
        match share > most {
            false => Ok(()),
            true => Err(Error::new(format!(
                "{what} changes by {:.1} % ({} enter, {} leave, of {}), more than max_change = {} % allows",
                share * 100.0,
                change.entered,
                change.left,
                change.previous,
                most * 100.0
            ))
            .exit(Exit::CheckFailed)),
        }
    }
}

/// Who came and went between two snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Size of the earlier snapshot.
    pub previous: u64,
    /// Members of the later one that were not in it.
    pub entered: u64,
    /// Its members that are not in the later one.
    pub left: u64,
}

impl Change {
    /// `(entered + left) / previous`; none when nobody was there before.
    pub fn share(&self) -> Option<f64> {
        (self.previous > 0).then(|| (self.entered + self.left) as f64 / self.previous as f64)
    }
}

fn size(options: &Options, key: &str) -> Result<Option<u64>> {
    let Some(text) = options.text(key) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Error::new(format!("option '{key}' is a whole number, not '{text}'")).at(options.span(key))
    })
}

/// `'30%'` or `0.3`.
fn share(options: &Options, key: &str) -> Result<Option<f64>> {
    let Some(text) = options.text(key) else {
        return Ok(None);
    };
    let (number, unit) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number.parse::<f64>().ok().map(|number| number / unit);
    share
        // 30 without % is hardly 3,000 %.
        .filter(|share| share.is_finite() && *share >= 0.0 && (unit == 100.0 || *share <= 1.0))
        .map(Some)
        .ok_or_else(|| {
            Error::new(format!("option '{key}' is a share, not '{text}'"))
                .at(options.span(key))
                .hint("write '30%' or 0.3")
        })
}
