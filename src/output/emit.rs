//! Results to where they are wanted: standard output, or one file that appears
//! whole or not at all.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::{AtomicFile, Format, Options, Printer, Renderer};
use crate::error::{Error, Result};

/// Writes results.
pub struct Emitter {
    printer: Printer,
    format: Format,
    max_rows: Option<usize>,
    file: Option<AtomicFile>,
    single: bool,
    results: usize,
}

/// Rows of a table that people are shown.
const MAX_ROWS: usize = 40;

impl Emitter {
    /// To a file, in the format of its ending unless one is given; else to
    /// standard output, as a table unless a format is given.
    pub fn new(printer: Printer, format: Option<Format>, output: Option<PathBuf>) -> Result<Self> {
        let by_ending = output.as_deref().and_then(Format::from_path);
        let format = match (format, &output) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            (None, Some(path)) => by_ending.ok_or_else(|| {
                Error::usage(format!(
                    "the format of '{}' cannot be told from its name",
                    path.display()
                ))
                .hint("--format names it, or end it in .csv, .json, .parquet, …")
            })?,
        };
        if output.is_none() && format.is_binary() && printer.stdout_is_terminal() {
            return Err(Error::usage(format!("{format} is not for a terminal"))
                .hint("-o FILE writes it to a file"));
        }
        let file = match &output {
            Some(path) => Some(AtomicFile::create(path)?),
            None => None,
        };
        Ok(Self {
            printer,
            format,
            max_rows: Some(MAX_ROWS),
            file,
            single: true,
            results: 0,
        })
    }

    /// Shows every row, however many.
    pub fn whole(self) -> Self {
        Self {
            max_rows: None,
            ..self
        }
    }

    /// Takes any number of results into one file.
    pub fn many(self) -> Self {
        Self {
            single: false,
            ..self
        }
    }

    /// Does it write to a file?
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Writes a result that is there already.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut renderer = self.open(batch.schema())?;
        renderer.batch(batch)?;
        Ok(renderer.finish()?)
    }

    /// Writes a result as it arrives; says how many rows it had.
    pub async fn rows(&mut self, mut rows: SendableRecordBatchStream) -> Result<u64> {
        let mut renderer = self.open(rows.schema())?;
        let mut count = 0;
        while let Some(batch) = rows.next().await.transpose()? {
            count += batch.num_rows() as u64;
            renderer.batch(&batch)?;
        }
        renderer.finish()?;
        Ok(count)
    }

    fn open(&mut self, schema: SchemaRef) -> Result<Box<dyn Renderer + '_>> {
        let options = Options {
            width: self.printer.terminal_width(),
            max_rows: self.max_rows,
            color: self.printer.color() && self.file.is_none(),
        };
        self.results += 1;
        if self.single && self.file.is_some() && self.results > 1 {
            return Err(
                Error::usage("-o takes one result, and this is a second one")
                    .hint("write each to its own file with COPY (…) TO 'file'"),
            );
        }
        let out: Box<dyn Write + Send + '_> = match &mut self.file {
            Some(file) => Box::new(file),
            None => Box::new(self.printer.stdout()),
        };
        Ok(self.format.renderer(schema, &options, out)?)
    }

    /// Writes a document that is there already.
    pub fn text(&mut self, text: &str) -> Result<()> {
        self.results += 1;
        let out: &mut dyn Write = match &mut self.file {
            Some(file) => file,
            None => &mut self.printer.stdout(),
        };
        writeln!(out, "{text}")?;
        out.flush()?;
        Ok(())
    }

    /// Writes a plan: as it is for people, as rows of lines for programs.
    pub fn plan(&mut self, plan: &str) -> Result<()> {
        if self.format == Format::Table {
            return self.text(plan.trim_end());
        }
        let lines: StringArray = plan.lines().map(Some).collect();
        self.batch(&RecordBatch::try_from_iter([(
            "plan",
            Arc::new(lines) as _,
        )])?)
    }

    /// Puts the file in its place, once everything went well.
    pub fn finish(self) -> Result<()> {
        match self.file {
            Some(file) if self.results > 0 => Ok(file.commit()?),
            _ => Ok(()),
        }
    }
}
