//! CSV files as a table: DataFusion's reader where it will do, our own where a
//! row's line or fault is asked for.

mod ends;
mod exact;
mod fault;
mod records;
mod rows;
mod table;
mod typed;
mod values;

use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::common::parsers::CompressionTypeVariant;

use super::InputFile;
use super::format::CsvShape;
use crate::error::{Error, Result};

pub use fault::Fault;
pub(super) use records::Records;
pub(super) use table::CsvTable;

/// How the files of a source are read.
#[derive(Debug)]
pub(super) struct CsvSpec {
    pub(super) shape: CsvShape,
    pub(super) compression: CompressionTypeVariant,
    pub(super) null_text: Vec<String>,
    /// How much of each file was looked into when the source was opened.
    pub(super) seen_bytes: u64,
    /// Rows with a fault are left out instead of being an error.
    pub(super) reject: bool,
    /// The columns of the table with their types.
    pub(super) columns: Vec<Field>,
}

/// The columns that some files have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The files' own columns, in their order.
    pub(super) names: Vec<String>,
    /// Where each column of the table stands in the files.
    pub(super) places: Vec<Option<usize>>,
}

/// A file with the columns it has.
#[derive(Debug, Clone)]
pub(super) struct CsvFile {
    pub(super) input: InputFile,
    pub(super) header: Arc<Header>,
    /// Its hive keys, then its path.
    pub(super) constants: Vec<ScalarValue>,
    /// How many of its rows have a fault, once somebody read all of them for all
    /// columns of the table.
    pub(super) rejected: Arc<OnceLock<u64>>,
}

/// The first fault of the files when these columns are read.
fn first_fault(spec: &Arc<CsvSpec>, files: &[CsvFile], columns: &[usize]) -> Result<Option<Error>> {
    for file in files {
        let mut rows = rows::Rows::open(spec, file, columns)?;
        while let Some(batch) = rows.next_batch()? {
            if let Some(fault) = batch.faults.first() {
                return Ok(Some(fault.error(&file.input.path)));
            }
        }
    }
    Ok(None)
}
