//! The records of one CSV file, each with the line it begins on and the bytes
//! it was written with.
//!
//! Works on csv-core itself: the reader of the csv crate keeps neither the bytes
//! of a record nor, after blank lines, the line it begins on.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use csv_core::ReadRecordResult;
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;

use crate::error::{Error, Result};
use crate::source::format::CsvShape;

const BUFFER_BYTES: usize = 64 << 10;

/// A longer record is a quote that was never closed.
const MAX_RECORD_BYTES: usize = 64 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a file record by record; the last one read can be looked at.
pub(in crate::source) struct Records {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    core: csv_core::Reader,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    read_bytes: u64,
    is_start: bool,
    lines: LineCount,
    fields: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    raw: Vec<u8>,
    line: u64,
    /// The record ended because the file did.
    is_cut: bool,
    quote: u8,
}

impl Records {
    /// Opens a file; only its first `limit` bytes are read.
    pub(in crate::source) fn open(
        path: &Path,
        compression: CompressionTypeVariant,
        shape: CsvShape,
        limit: u64,
    ) -> Result<Self> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let input = FileCompressionType::from(compression)
            .convert_read(file)
            .map_err(|error| unreadable(path, &error))?;
        Ok(Self::new(path, Box::new(input.take(limit)), shape))
    }

    fn new(path: &Path, input: Box<dyn Read + Send>, shape: CsvShape) -> Self {
        Self {
            path: path.to_owned(),
            input,
            core: csv_core::ReaderBuilder::new()
                .delimiter(shape.delimiter)
                .quote(shape.quote)
                .build(),
            buffer: vec![0; BUFFER_BYTES],
            from: 0,
            to: 0,
            read_bytes: 0,
            is_start: true,
            lines: LineCount::default(),
            fields: vec![0; 1 << 10],
            ends: vec![0; 64],
            count: 0,
            raw: vec![],
            line: 0,
            is_cut: false,
            quote: shape.quote,
        }
    }

    /// Reads the next record; false at the end.
    pub(in crate::source) fn advance(&mut self) -> Result<bool> {
        let (mut written, mut count) = (0, 0);
        self.raw.clear();
        loop {
            if self.from == self.to {
                self.fill()
                    .map_err(|error| unreadable(&self.path, &error))?;
            }
            let (result, read, wrote, ended) = self.core.read_record(
                &self.buffer[self.from..self.to],
                &mut self.fields[written..],
                &mut self.ends[count..],
            );
            self.keep(read);
            written += wrote;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.count = count;
                    self.is_cut = read == 0;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
            self.check_length(MAX_RECORD_BYTES)?;
        }
    }

    /// Fills the buffer, which is empty only at the end; a file's first part holds
    /// its byte order mark, which csv-core skips, and something behind it.
    fn fill(&mut self) -> std::io::Result<()> {
        let wanted = match self.read_bytes {
            0 => BYTE_ORDER_MARK.len() + 1,
            _ => 1,
        };
        (self.from, self.to) = (0, 0);
        while self.to < wanted {
            match self.input.read(&mut self.buffer[self.to..]) {
                Ok(0) => break,
                Ok(read) => self.to += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.read_bytes += self.to as u64;
        Ok(())
    }

    /// Counts the lines of what was read, and keeps it but for blank lines
    /// before the record.
    fn keep(&mut self, read: usize) {
        let mut bytes = &self.buffer[self.from..self.from + read];
        self.from += read;
        if std::mem::take(&mut self.is_start) {
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        if self.raw.is_empty() {
            let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let blank = bytes.iter().take_while(|byte| is_break(byte)).count();
            self.lines.count(&bytes[..blank]);
            bytes = &bytes[blank..];
            self.line = self.lines.before + 1;
        }
        self.lines.count(bytes);
        self.raw.extend_from_slice(bytes);
    }

    /// Fails when the record is longer than any row would be.
    pub(in crate::source) fn check_length(&self, most: usize) -> Result<()> {
        if self.raw.len() <= most {
            return Ok(());
        }
        Err(Error::new(format!(
            "'{}', line {}: a row of more than {} MB begins here",
            self.path.display(),
            self.line,
            most >> 20
        ))
        .hint("is a quote not closed? WITH (quote = …) sets what encloses a field"))
    }

    /// Did the file end within quotes? Then its last field swallowed what came
    /// after the quote, and nobody would miss those rows.
    pub(in crate::source) fn is_unclosed(&self) -> bool {
        let Some(last) = self.count.checked_sub(1).filter(|_| self.is_cut) else {
            return false;
        };
        let mut field = vec![self.quote];
        for byte in self.field(last) {
            field.push(*byte);
            if *byte == self.quote {
                field.push(*byte);
            }
        }
        let quotes = self.raw.iter().filter(|byte| **byte == self.quote).count();
        quotes % 2 == 1 && self.raw.ends_with(&field)
    }

    /// How many fields the record has.
    pub(in crate::source) fn len(&self) -> usize {
        self.count
    }

    /// The bytes of a field.
    pub(in crate::source) fn field(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fields[start..self.ends[index]]
    }

    /// The record's first line in the file, from 1.
    pub(in crate::source) fn line(&self) -> u64 {
        self.line
    }

    /// The record as it was written, without the end of its line.
    pub(in crate::source) fn raw(&self) -> &[u8] {
        let end = self
            .raw
            .iter()
            .rposition(|byte| !matches!(byte, b'\n' | b'\r'));
        &self.raw[..end.map_or(0, |last| last + 1)]
    }

    /// Bytes taken from the file so far, unpacked.
    pub(in crate::source) fn position(&self) -> u64 {
        self.read_bytes - (self.to - self.from) as u64
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(format!("cannot read '{}': {error}", path.display()))
}

/// Ends of lines: `\n`, `\r\n`, and `\r` alone.
#[derive(Default)]
struct LineCount {
    before: u64,
    after_return: bool,
}

impl LineCount {
    fn count(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else {
            return;
        };
        let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
        let returns = bytes.iter().filter(|byte| **byte == b'\r').count();
        let mut pairs = usize::from(self.after_return && bytes[0] == b'\n');
        if returns > 0 {
            pairs += bytes.windows(2).filter(|pair| pair == b"\r\n").count();
        }
        self.before += (feeds + returns - pairs) as u64;
        self.after_return = *last == b'\r';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, as a slow pipe would.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let left = self.0.get(self.1).copied();
            self.1 += usize::from(left.is_some());
            Ok(left.map_or(0, |byte| {
                buffer[0] = byte;
                1
            }))
        }
    }

    fn records(text: &str, slow: bool) -> Records {
        let bytes = text.as_bytes().to_vec();
        let input: Box<dyn Read + Send> = match slow {
            true => Box::new(Slow(bytes, 0)),
            false => Box::new(std::io::Cursor::new(bytes)),
        };
        let shape = CsvShape {
            delimiter: b',',
            quote: b'"',
            header: true,
        };
        Records::new(Path::new("x"), input, shape)
    }

    fn all(text: &str, slow: bool) -> Vec<(u64, Vec<String>, String)> {
        let mut records = records(text, slow);
        let mut found = vec![];
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        while records.advance().expect("reads") {
            let fields = (0..records.len()).map(|index| text(records.field(index)));
            found.push((records.line(), fields.collect(), text(records.raw())));
        }
        found
    }

    #[test]
    fn lines_are_those_of_the_file() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec![1, 2]),
            ("a,b\r\n1,2\r\n3,4", vec![1, 2, 3]),
            ("a,b\r1,2\r3,4", vec![1, 2, 3]),
            ("\u{feff}a,b\n\n\n1,2\n", vec![1, 4]),
            ("\r\na,b\r\n\r\n1,2\r\n", vec![2, 4]),
            ("a,b\n\"x\ny\",2\n3,4\n", vec![1, 2, 4]),
            ("a,b\r\n\"x\r\ny\",2\r\n3,4\r\n", vec![1, 2, 4]),
        ] {
            for slow in [false, true] {
                let lines: Vec<u64> = all(text, slow).into_iter().map(|it| it.0).collect();
                assert_eq!(lines, expected, "{text:?}");
            }
        }
    }

    /// Whatever the bytes: the fields are those of the csv crate, and the bytes
    /// kept are the file's but for the ends of lines between rows.
    #[test]
    fn odd_bytes_are_read_as_the_csv_crate_reads_them() {
        let letters = [
            "a", "ż", ",", "\"", "\n", "\r", "\r\n", " ", "\u{feff}", "\0",
        ];
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize
        };
        for _ in 0..3000 {
            let length = random() % 24;
            let text: String = (0..length)
                .map(|_| letters[random() % letters.len()])
                .collect();
            let mut theirs = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let theirs: Vec<Vec<String>> = theirs
                .byte_records()
                .map(|record| record.expect("reads").iter().map(lossy).collect())
                .collect();
            for slow in [false, true] {
                let ours = all(&text, slow);
                let fields: Vec<_> = ours.iter().map(|it| it.1.clone()).collect();
                assert_eq!(fields, theirs, "{text:?}");
                let kept: String = ours.into_iter().map(|it| it.2).collect();
                let plain = |text: &str| text.replace(['\n', '\r'], "");
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                assert_eq!(plain(&kept), plain(text));
            }
        }
    }

    #[test]
    fn a_quote_that_is_not_closed() {
        for (text, expected) in [
            ("a,b\n1,\"x\n2,y\n", true),
            ("a,b\n1,\"x \"\"y\"\"\n2,y", true),
            ("a,b\n1,\"", true),
            ("a,b\n1,\"x\ny\"\n", false),
            ("a,b\n1,\"x\ny\"", false),
            ("a,b\n\"1\",5\" pipe", false),
            ("a,b\n\"1\",\"\"", false),
        ] {
            let mut records = records(text, true);
            while records.advance().expect("reads") && records.line() < 2 {}
            assert_eq!(records.is_unclosed(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_record_is_kept_as_written() {
        let found = all("\u{feff}a,b\r\n\r\n\"x\ny\",\"q\"\"\"\r\n", true);
        assert_eq!(found[0].1, ["a", "b"]);
        assert_eq!(found[1].1, ["x\ny", "q\""]);
        assert_eq!(found[1].2, "\"x\ny\",\"q\"\"\"");
    }
}
