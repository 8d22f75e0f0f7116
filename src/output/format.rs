//! Owns the one list of formats: name, endings, whether a terminal can show it,
//! and the function that opens its renderer. Refuses to render anything itself.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use datafusion::arrow::datatypes::SchemaRef;

use super::{Options, Renderer, Sink};

/// Makes everything about the formats from one line for each.
macro_rules! formats {
    ($($(#[$doc:meta])+ $variant:ident $name:literal [$($ending:literal),*] $binary:literal $open:path;)+) => {
        /// A way to write a result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])+ $variant,)+
        }

        impl Format {
            /// Every format, in the order it is shown to people.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as `--format` takes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The endings of file names that mean this format, the usual one first.
            pub const fn endings(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($ending),*],)+
                }
            }

            /// Whether the bytes are not text, and so not for a terminal.
            pub const fn is_binary(self) -> bool {
                match self {
                    $(Self::$variant => $binary,)+
                }
            }

            /// Opens a renderer that writes rows of `schema` to `out`, which it
            /// flushes but does not commit. Fails when the first bytes cannot
            /// be written or the format cannot hold a type of the schema.
            pub fn renderer<'a>(
                self,
                schema: SchemaRef,
                options: &Options,
                out: Sink<'a>,
            ) -> io::Result<Box<dyn Renderer + 'a>> {
                match self {
                    $(Self::$variant => $open(schema, options, out),)+
                }
            }
        }
    };
}

formats! {
    /// A framed table for people.
    Table "table" [] false super::table::open;
    /// Comma-separated values.
    Csv "csv" ["csv"] false super::csv::open_csv;
    /// Tab-separated values.
    Tsv "tsv" ["tsv"] false super::csv::open_tsv;
    /// One JSON array of objects.
    Json "json" ["json"] false super::json::open_json;
    /// One JSON object a line.
    Jsonl "jsonl" ["jsonl", "ndjson"] false super::json::open_jsonl;
    /// A table of GitHub-flavoured Markdown.
    Markdown "markdown" ["md"] false super::markdown::open;
    /// Parquet, compressed with zstd.
    Parquet "parquet" ["parquet"] true super::parquet::open;
    /// An Arrow IPC file.
    Arrow "arrow" ["arrow", "ipc", "feather"] true super::arrow::open;
}

impl Format {
    /// The format that the ending of a file name means, whatever its case;
    /// `None` for no ending or one of no format.
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        Self::ALL.iter().copied().find(|format| {
            format
                .endings()
                .iter()
                .any(|e| e.eq_ignore_ascii_case(ending))
        })
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name()).chain(self.endings().iter().copied())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Takes names and endings, whatever their case.
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.words().any(|word| word.eq_ignore_ascii_case(text)))
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// The name given for a format is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown format '{}'", self.0.escape_debug())?;
        let typed = self.0.to_lowercase();
        let nearest = Format::ALL
            .iter()
            .flat_map(|format| {
                format
                    .words()
                    .map(|word| (strsim::osa_distance(word, &typed), *format))
            })
            .min_by_key(|(distance, _)| *distance);
        if let Some((1..=2, format)) = nearest {
            write!(f, "; did you mean '{format}'?")?;
        }
        let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        write!(f, " (formats: {})", names.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_endings_are_found_whatever_their_case() {
        assert_eq!("table".parse(), Ok(Format::Table));
        assert_eq!("JSON".parse(), Ok(Format::Json));
        assert_eq!("ndjson".parse(), Ok(Format::Jsonl));
        assert_eq!("md".parse(), Ok(Format::Markdown));
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest_and_all() {
        let all = "(formats: table, csv, tsv, json, jsonl, markdown, parquet, arrow)";
        let message = |text: &str| text.parse::<Format>().expect_err("no format").to_string();
        assert_eq!(
            message("parqet"),
            format!("unknown format 'parqet'; did you mean 'parquet'? {all}")
        );
        assert_eq!(
            message("spreadsheet"),
            format!("unknown format 'spreadsheet' {all}")
        );
    }

    #[test]
    fn the_ending_of_a_path_means_a_format() {
        let of = |path: &str| Format::from_path(Path::new(path));
        assert_eq!(of("out/vip.csv"), Some(Format::Csv));
        assert_eq!(of("VIP.TSV"), Some(Format::Tsv));
        assert_eq!(of("a.b.ndjson"), Some(Format::Jsonl));
        assert_eq!(of("a.feather"), Some(Format::Arrow));
        assert_eq!(of("a.ipc"), Some(Format::Arrow));
        assert_eq!(of("a.md"), Some(Format::Markdown));
        assert_eq!(of("csv"), None);
        assert_eq!(of("a.table"), None);
        assert_eq!(of("a.csv.gz"), None);
    }

    #[test]
    fn only_parquet_and_arrow_are_binary() {
        let binary: Vec<_> = Format::ALL.iter().filter(|f| f.is_binary()).collect();
        assert_eq!(binary, [&Format::Parquet, &Format::Arrow]);
    }
}
