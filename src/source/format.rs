//! The file formats that can be read.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::config::{CsvOptions, JsonOptions};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;

use super::SourceOptions;
use crate::error::{Error, Result, suggest};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceFormat {
    /// Comma (or otherwise) separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One JSON object a line.
    Json,
    /// Arrow IPC file.
    Arrow,
}

const ENDINGS: [(&str, SourceFormat); 11] = [
    ("csv", SourceFormat::Csv),
    ("tsv", SourceFormat::Csv),
    ("txt", SourceFormat::Csv),
    ("parquet", SourceFormat::Parquet),
    ("pq", SourceFormat::Parquet),
    ("json", SourceFormat::Json),
    ("jsonl", SourceFormat::Json),
    ("ndjson", SourceFormat::Json),
    ("arrow", SourceFormat::Arrow),
    ("feather", SourceFormat::Arrow),
    ("ipc", SourceFormat::Arrow),
];

impl FromStr for SourceFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let lower = name.to_lowercase();
        let known = ENDINGS.iter().find(|(ending, _)| *ending == lower);
        known.map(|(_, format)| *format).ok_or_else(|| {
            Error::new(format!("'{name}' is no format that can be read"))
                .hint_if(suggest(name, ENDINGS.iter().map(|(ending, _)| *ending)))
                .hint("formats are csv, tsv, parquet, json (one object a line) and arrow")
        })
    }
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SourceFormat::Csv => "csv",
            SourceFormat::Parquet => "parquet",
            SourceFormat::Json => "json",
            SourceFormat::Arrow => "arrow",
        })
    }
}

/// How a file is packed and what is inside, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    /// What is inside, when the ending tells.
    pub(super) format: Option<SourceFormat>,
    /// Tab separated by its ending.
    pub(super) tabs: bool,
    /// How it is packed.
    pub(super) compression: CompressionTypeVariant,
}

impl Encoding {
    pub(super) fn of(path: &Path) -> Self {
        let name = path.to_string_lossy().to_lowercase();
        let (inner, compression) = match name.rsplit_once('.') {
            Some((inner, "gz")) => (inner, CompressionTypeVariant::GZIP),
            Some((inner, "zst" | "zstd")) => (inner, CompressionTypeVariant::ZSTD),
            Some((inner, "bz2")) => (inner, CompressionTypeVariant::BZIP2),
            Some((inner, "xz")) => (inner, CompressionTypeVariant::XZ),
            _ => (name.as_str(), CompressionTypeVariant::UNCOMPRESSED),
        };
        let ending = inner.rsplit_once('.').map_or("", |(_, ending)| ending);
        Self {
            format: ENDINGS
                .iter()
                .find(|(known, _)| *known == ending)
                .map(|(_, format)| *format),
            tabs: ending == "tsv",
            compression,
        }
    }
}

/// What CSV files look like, given and by default.
#[derive(Debug, Clone, Copy)]
pub(super) struct CsvShape {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) header: bool,
}

impl CsvShape {
    /// What is given; the delimiter otherwise from the first line of the file.
    pub(super) fn new(options: &SourceOptions, encoding: &Encoding, first: &Path) -> Self {
        let detected = || match encoding.tabs {
            true => b'\t',
            false => super::detect::delimiter(first, encoding),
        };
        Self {
            delimiter: options.delimiter.unwrap_or_else(detected),
            quote: options.quote.unwrap_or(b'"'),
            header: options.header.unwrap_or(true),
        }
    }
}

/// DataFusion's reader for a format that is not CSV.
pub(super) fn reader(format: SourceFormat, encoding: &Encoding) -> Arc<dyn FileFormat> {
    let compression = encoding.compression;
    match format {
        SourceFormat::Csv => Arc::new(CsvFormat::default()),
        SourceFormat::Parquet => Arc::new(ParquetFormat::default()),
        SourceFormat::Arrow => Arc::new(ArrowFormat),
        SourceFormat::Json => Arc::new(JsonFormat::default().with_options(JsonOptions {
            compression,
            ..JsonOptions::default()
        })),
    }
}

/// DataFusion's reader for CSV.
pub(super) fn csv_reader(encoding: &Encoding, shape: CsvShape) -> Arc<dyn FileFormat> {
    let compression = encoding.compression;
    let format = CsvFormat::default().with_options(CsvOptions {
        compression,
        newlines_in_values: Some(true),
        ..CsvOptions::default()
    });
    Arc::new(
        format
            .with_has_header(shape.header)
            .with_delimiter(shape.delimiter)
            .with_quote(shape.quote)
            .with_file_compression_type(FileCompressionType::from(compression)),
    )
}
