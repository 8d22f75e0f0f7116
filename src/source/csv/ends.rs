//! Whether a file ended within quotes, told from the rows of a fast scan.
//!
//! DataFusion's reader lets a quote that is never closed end with its file, and
//! the field behind it swallow all rows between. Such a field is the last of the
//! last row and has ends of lines in it, as one that was closed may have too;
//! but then the file ends with the quote.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::parsers::CompressionTypeVariant;

use super::{CsvSpec, Fault, Records};
use crate::error::{Error, Result};

/// Watches the rows of a scan go by.
pub(super) struct Ends {
    spec: Arc<CsvSpec>,
    columns: Option<EndColumns>,
    /// A file whose last row so far may go on within quotes.
    suspect: Option<String>,
}

/// Where the input has what is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndColumns {
    /// The files' last column.
    pub(super) last: usize,
    /// The path.
    pub(super) file: usize,
}

impl Ends {
    pub(super) fn new(spec: &Arc<CsvSpec>, columns: Option<EndColumns>) -> Self {
        Self {
            spec: Arc::clone(spec),
            columns,
            suspect: None,
        }
    }

    /// Takes the next rows into account; fails when the file before them ended
    /// within quotes.
    pub(super) fn see(&mut self, batch: &RecordBatch) -> Result<()> {
        let (Some(columns), Some(row)) = (self.columns, batch.num_rows().checked_sub(1)) else {
            return Ok(());
        };
        let file = batch.column(columns.file).as_string::<i32>().value(row);
        if self.suspect.as_deref().is_some_and(|before| before != file) {
            self.finish()?;
        }
        let last = batch.column(columns.last).as_string::<i32>();
        let has_lines = last.is_valid(row) && last.value(row).contains(['\n', '\r']);
        self.suspect = has_lines.then(|| file.to_owned());
        Ok(())
    }

    /// Fails when the file at hand ended within quotes.
    pub(super) fn finish(&mut self) -> Result<()> {
        let Some(file) = self.suspect.take() else {
            return Ok(());
        };
        match unclosed(&self.spec, Path::new(&file))? {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn unclosed(spec: &CsvSpec, path: &Path) -> Result<Option<Error>> {
    let is_plain = spec.compression == CompressionTypeVariant::UNCOMPRESSED;
    if is_plain && ends_with_quote(path, spec.shape.quote).unwrap_or(false) {
        return Ok(None);
    }
    let mut records = Records::open(path, spec.compression, spec.shape, u64::MAX)?;
    while records.advance()? {
        if records.is_unclosed() {
            return Ok(Some(Fault::unclosed(&records).error(path)));
        }
    }
    Ok(None)
}

fn ends_with_quote(path: &Path, quote: u8) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(16)))?;
    let mut tail = vec![];
    file.take(16).read_to_end(&mut tail)?;
    let last = tail
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b'\n' | b'\r'));
    Ok(last == Some(&quote))
}
