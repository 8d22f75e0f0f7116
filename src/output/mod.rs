//! Owns the way from a result to bytes: one renderer for each format, the file
//! that appears whole or not at all, and the printer, which alone knows the
//! standard streams. Refuses to run queries, to decide where output goes, and
//! to hold a result in memory: a renderer is given one batch after another.
//!
//! A new format is one new file with an `open` function, and one line in the
//! list of `format.rs`.

mod arrow;
mod cell;
mod columns;
mod csv;
mod emit;
mod file;
#[cfg(test)]
mod fixture;
mod flat;
mod format;
mod frame;
mod json;
mod json_value;
mod layout;
mod markdown;
mod parquet;
mod printer;
mod table;

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;

pub use self::emit::Emitter;
pub use self::file::AtomicFile;
pub use self::format::{Format, UnknownFormat};
pub use self::printer::{ColorChoice, Printer, UnknownColorChoice};

/// Where a renderer writes to: a file, a standard stream, a buffer.
pub type Sink<'a> = Box<dyn Write + Send + 'a>;

/// What a table drawn for people should look like. The other formats, made for
/// programs, look at none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal (never taken as less than 20); the table is no
    /// wider. `None`, not a terminal, cuts neither cells nor columns.
    pub width: Option<usize>,
    /// Rows to show; more are left out from the middle. `None` shows all, and
    /// keeps all of them in memory until the end.
    pub max_rows: Option<usize>,
    /// Whether NULL and the types are dimmed with ANSI sequences.
    pub color: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: None,
            max_rows: Some(40),
            color: false,
        }
    }
}

/// Writes one result in one format. [`Format::renderer`] opens it, and every
/// format gives a valid document for a result without rows.
///
/// Errors of the underlying writer keep their kind, so that a closed pipe is
/// recognised as [`io::ErrorKind::BrokenPipe`]. After an error what was written
/// is incomplete.
pub trait Renderer: Send {
    /// Writes the rows of `batch`, whose columns are those of the schema given
    /// at the opening.
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()>;

    /// Writes what ends the document, and flushes.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// The error of the writer inside an Arrow error, or the Arrow error as one.
fn arrow_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(error) => external_error(error),
        error => io::Error::other(error.to_string()),
    }
}

/// The error of the writer inside a boxed error, or the boxed error as one.
fn external_error(error: Box<dyn std::error::Error + Send + Sync>) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{ClosedPipe, batch, customers, nested, render_bytes, times};
    use super::*;
    use datafusion::arrow::array::{BooleanArray, DurationSecondArray, NullArray};
    use std::sync::Arc;

    #[test]
    fn every_format_takes_every_kind_of_value() {
        let odd = batch(vec![
            ("nothing", Arc::new(NullArray::new(1))),
            ("yes", Arc::new(BooleanArray::from(vec![true]))),
            ("gap", Arc::new(DurationSecondArray::from(vec![86_400]))),
        ]);
        for format in Format::ALL {
            for result in [nested(), times(), odd.clone()] {
                let bytes = render_bytes(*format, &result.schema(), std::slice::from_ref(&result));
                let empty = render_bytes(*format, &result.schema(), &[]);
                assert!(bytes.len() > empty.len(), "{format} wrote no rows");
            }
        }
    }

    #[test]
    fn a_closed_pipe_keeps_its_kind_in_every_format() {
        for format in Format::ALL {
            for room in [0, 3, 40] {
                let result = customers();
                let mut pipe = ClosedPipe { room };
                let rendered = format
                    .renderer(result.schema(), &Options::default(), Box::new(&mut pipe))
                    .and_then(|mut renderer| {
                        renderer.batch(&result)?;
                        renderer.finish()
                    });
                let error = rendered.expect_err("the pipe takes at most 40 bytes");
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe,
                    "{format}, {room} bytes: {error}"
                );
            }
        }
    }
}
