//! Names and types of a CSV file's columns, from its head.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

use super::csv::{Fault, Header, Records};
use super::format::{CsvShape, Encoding};
use super::guess::Guess;
use super::{BadRow, InputFile, SourceOptions};
use crate::error::{Error, Result};

/// How much of a file is looked at, when there are few.
const SAMPLE_BYTES: u64 = 16 << 20;

/// How much of all files is looked at, but for the least of each.
const ALL_SAMPLES_BYTES: u64 = 256 << 20;
const LEAST_SAMPLE_BYTES: u64 = 256 << 10;

/// A row that fills half a sample is a quote that was not closed.
const LONG_ROW_BYTES: usize = 8 << 20;

/// How long a header may be.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// A column as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DetectedColumn {
    pub(super) name: String,
    /// None where no value was seen.
    pub(super) data_type: Option<DataType>,
}

/// What is looked for, the same in all files of a source.
pub(super) struct Detection<'a> {
    pub(super) encoding: &'a Encoding,
    pub(super) shape: CsvShape,
    pub(super) options: &'a SourceOptions,
    /// Only names are wanted.
    pub(super) names_only: bool,
    /// Columns whose types are pinned: a file that has no others is not looked into.
    pub(super) pinned: &'a [Field],
    pub(super) files: usize,
}

impl Detection<'_> {
    /// Looks at the head of a file; none when nothing is in it.
    pub(super) fn columns(&self, path: &Path) -> Result<Option<Vec<DetectedColumn>>> {
        let sample = self.sample_bytes();
        let limit = sample.max(MAX_HEADER_BYTES);
        let compression = self.encoding.compression;
        let mut records = Records::open(path, compression, self.shape, limit)?;
        if !records.advance()? {
            return Ok(None);
        }
        let names = names(&records, self.shape.header, path)?;
        let mut guesses = vec![Guess::default(); names.len()];
        let mut more = !self.is_enough(&names) && (!self.shape.header || records.advance()?);
        // The sample may end in the middle of a value.
        while more && records.position() < sample {
            self.look(&records, &names, &mut guesses, path)?;
            more = records.advance()?;
        }
        if more {
            records.check_length(LONG_ROW_BYTES)?;
        }
        let columns = names.into_iter().zip(guesses);
        let columns = columns.map(|(name, guess)| DetectedColumn {
            name,
            data_type: guess.has_seen().then(|| guess.data_type()),
        });
        Ok(Some(columns.collect()))
    }

    /// Do the names of a file's columns say all there is to find?
    pub(super) fn is_enough(&self, names: &[String]) -> bool {
        let is_pinned = |name: &String| self.pinned.iter().any(|it| it.name() == name);
        self.names_only || self.shape.header && names.iter().all(is_pinned)
    }

    fn sample_bytes(&self) -> u64 {
        let share = ALL_SAMPLES_BYTES / self.files.max(1) as u64;
        share.clamp(LEAST_SAMPLE_BYTES, SAMPLE_BYTES)
    }

    /// How large a file may be that was looked into as a whole.
    pub(super) fn seen_bytes(&self, files: &[(InputFile, Arc<Header>)]) -> u64 {
        let is_plain = self.encoding.compression == CompressionTypeVariant::UNCOMPRESSED;
        let mut headers = files.iter().map(|(_, header)| &header.names);
        match is_plain && !headers.any(|names| self.is_enough(names)) {
            // What ends the sample is not looked at.
            true => self.sample_bytes() - 1,
            false => 0,
        }
    }

    fn look(
        &self,
        records: &Records,
        names: &[String],
        guesses: &mut [Guess],
        path: &Path,
    ) -> Result<()> {
        let values: Option<Vec<&str>> = (0..records.len())
            .map(|index| std::str::from_utf8(records.field(index)).ok())
            .collect();
        let fault = match &values {
            _ if records.is_unclosed() => Fault::unclosed(records),
            _ if records.len() != names.len() => Fault::length(records, names.len()),
            None => Fault::bytes(records, 0, None),
            Some(values) => {
                for (guess, value) in guesses.iter_mut().zip(values) {
                    guess.see(value, &self.options.null_text);
                }
                return Ok(());
            }
        };
        match self.options.on_bad_row {
            BadRow::Error => Err(fault.error(path)),
            BadRow::Reject => Ok(()),
        }
    }
}

/// What parts the fields of a file's first line: the mark that stands in it
/// most often outside quotes; a comma where none does.
pub(super) fn delimiter(path: &Path, encoding: &Encoding) -> u8 {
    let unpacked = File::open(path).ok().and_then(|file| {
        let compression = FileCompressionType::from(encoding.compression);
        compression.convert_read(file).ok()
    });
    let mut line = String::new();
    if let Some(unpacked) = unpacked {
        let head = unpacked.take(MAX_HEADER_BYTES);
        // What is not UTF-8 is said when the file is looked into.
        let _ = BufReader::new(head).read_line(&mut line);
    }
    let outside: String = line.split('"').step_by(2).collect();
    let count = |mark: &u8| outside.bytes().filter(|byte| byte == mark).count();
    let marks = [b'|', b'\t', b';', b','];
    let most = marks.iter().max_by_key(|mark| count(mark));
    most.filter(|mark| count(mark) > 0).copied().unwrap_or(b',')
}

fn names(records: &Records, header: bool, path: &Path) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    (0..records.len())
        .map(|index| {
            let name = match std::str::from_utf8(records.field(index)) {
                Ok(name) if header && !name.trim().is_empty() => name.trim().to_owned(),
                Err(_) if header => return Err(Fault::bytes(records, index, None).error(path)),
                _ => format!("column_{}", index + 1),
            };
            match seen.insert(name.clone()) {
                true => Ok(name),
                false => Err(Error::new(format!(
                    "'{}' has two columns called '{name}'",
                    path.display()
                ))),
            }
        })
        .collect()
}
