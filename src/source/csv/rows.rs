//! The rows of one CSV file, batch by batch, typed, with all that is wrong with
//! them. Slower than DataFusion's reader, which knows neither lines nor faults.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::Field;

use super::fault::Fault;
use super::records::Records;
use super::values;
use super::{CsvFile, CsvSpec};
use crate::error::Result;

/// Rows of a batch; fewer would slow what is done with them.
const BATCH_ROWS: usize = 8192;

/// Bytes after which a batch ends all the same: rows may be of any size.
const BATCH_BYTES: usize = 16 << 20;

/// A column to read: what it becomes, and where it stands in the file.
struct Wanted {
    column: usize,
    place: usize,
    texts: StringBuilder,
}

/// Reads one file.
pub(super) struct Rows {
    spec: Arc<CsvSpec>,
    records: Records,
    names: Vec<String>,
    wanted: Vec<Wanted>,
    lines: Vec<u64>,
    /// Rows as written, kept while a fault may want one.
    raw: StringBuilder,
}

/// Some rows of a file.
pub(super) struct Batch {
    /// The columns asked for that the file has, with their index in the table.
    pub(super) columns: Vec<(usize, ArrayRef)>,
    /// The line each row begins on.
    pub(super) lines: Vec<u64>,
    /// Which rows are without fault; none when all are.
    pub(super) good: Option<Vec<bool>>,
    /// All that is wrong, by line and place.
    pub(super) faults: Vec<Fault>,
}

impl Batch {
    /// How many rows have a fault; several fields of one may be bad.
    pub(super) fn faulty_rows(&self) -> u64 {
        let mut lines: Vec<u64> = self.faults.iter().map(|fault| fault.line).collect();
        lines.dedup();
        lines.len() as u64
    }
}

impl Rows {
    /// Opens a file to read these columns of the table.
    pub(super) fn open(spec: &Arc<CsvSpec>, file: &CsvFile, columns: &[usize]) -> Result<Self> {
        let (path, shape) = (&file.input.path, spec.shape);
        let mut records = Records::open(path, spec.compression, shape, u64::MAX)?;
        if shape.header {
            records.advance()?;
        }
        let place = |column: usize| file.header.places.get(column).copied().flatten();
        let mut wanted: Vec<Wanted> = columns
            .iter()
            .filter_map(|column| {
                Some(Wanted {
                    column: *column,
                    place: place(*column)?,
                    texts: StringBuilder::new(),
                })
            })
            .collect();
        wanted.sort_by_key(|wanted| wanted.place);
        Ok(Self {
            spec: Arc::clone(spec),
            records,
            names: file.header.names.clone(),
            wanted,
            lines: vec![],
            raw: StringBuilder::new(),
        })
    }

    /// The next rows; none at the end.
    pub(super) fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut faults = vec![];
        let mut read = 0;
        let is_full = |raw: &StringBuilder| raw.values_slice().len() >= BATCH_BYTES;
        while read < BATCH_ROWS && !is_full(&self.raw) && self.records.advance()? {
            read += 1;
            match self.fault() {
                Some(fault) => faults.push(fault),
                None => self.take(),
            }
        }
        match read {
            0 => Ok(None),
            _ => self.finish(faults).map(Some),
        }
    }

    /// What is wrong with the record as a whole.
    fn fault(&self) -> Option<Fault> {
        let records = &self.records;
        if records.is_unclosed() {
            return Some(Fault::unclosed(records));
        }
        if records.len() != self.names.len() {
            return Some(Fault::length(records, self.names.len()));
        }
        let wrong = |index: &usize| std::str::from_utf8(records.field(*index)).is_err();
        let wrong = (0..records.len()).find(wrong)?;
        let name = self.names.get(wrong).map(String::as_str);
        Some(Fault::bytes(records, wrong, name))
    }

    fn take(&mut self) {
        for wanted in &mut self.wanted {
            // Checked before: a record taken is text.
            let text = std::str::from_utf8(self.records.field(wanted.place)).unwrap_or_default();
            wanted
                .texts
                .append_option((!text.is_empty()).then_some(text));
        }
        self.lines.push(self.records.line());
        let raw = std::str::from_utf8(self.records.raw()).unwrap_or_default();
        self.raw.append_value(raw);
    }

    fn finish(&mut self, mut faults: Vec<Fault>) -> Result<Batch> {
        let lines = std::mem::take(&mut self.lines);
        let raw = self.raw.finish();
        let mut columns = vec![];
        let mut good: Option<Vec<bool>> = None;
        for wanted in &mut self.wanted {
            let field: &Field = &self.spec.columns[wanted.column];
            let texts: ArrayRef = Arc::new(wanted.texts.finish());
            let found = values::read(&texts, field.data_type(), &self.spec.null_text)?;
            for row in found.unreadable {
                let text = texts.as_string::<i32>().value(row);
                let place = wanted.place;
                faults.push(Fault::value(lines[row], place, field, text, raw.value(row)));
                good.get_or_insert_with(|| vec![true; lines.len()])[row] = false;
            }
            columns.push((wanted.column, found.array));
        }
        faults.sort_by_key(|fault| (fault.line, fault.position));
        Ok(Batch {
            columns,
            lines,
            good,
            faults,
        })
    }
}
