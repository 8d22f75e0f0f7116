//! The options of `CREATE SOURCE … WITH (…)`.

use datafusion::arrow::datatypes::Field;

use super::SourceFormat;
use crate::error::{Error, Result};
use crate::statement::Options;

/// What to do with rows that have no event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NullTime {
    /// Reading one is an error.
    #[default]
    Error,
    /// They are seen at every date.
    Show,
    /// They are never seen.
    Hide,
}

/// What to do with rows that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRow {
    /// Reading one is an error.
    #[default]
    Error,
    /// They are left out, and listed in `segql.rejects`.
    Reject,
}

/// Everything that can be said of a source.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// Format, when the ending does not tell.
    pub format: Option<SourceFormat>,
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// The column that says when a row happened.
    pub event_time: Option<String>,
    /// Rows without an event time.
    pub null_time: NullTime,
    /// The column that says when a row arrived: before, nobody knew of it.
    pub known_at: Option<String>,
    /// The columns from when and until when (not included) a version is valid.
    pub history: Option<(String, String)>,
    /// The column by which the newest row of a key is the one that counts.
    pub latest_by: Option<String>,
    /// Zone of local times, default the session's.
    pub time_zone: Option<String>,
    /// Types by name, as SQL: `amount DECIMAL(12,2), "Kod" VARCHAR`; or `text`, all
    /// columns as written.
    pub columns: Option<String>,
    /// CSV: what parts the fields.
    pub delimiter: Option<u8>,
    /// CSV: what encloses a field.
    pub quote: Option<u8>,
    /// CSV: does the first line name the columns? Default true.
    pub header: Option<bool>,
    /// Texts that mean NULL, beside the empty field.
    pub null_text: Vec<String>,
    /// CSV: rows with unreadable values or a wrong number of fields.
    pub on_bad_row: BadRow,
    /// Columns about identity, kept out of snapshots.
    pub personal: Vec<String>,
    /// Columns about age, sex and the like.
    pub demographic: Vec<String>,
    /// Columns about health, belief and the like.
    pub sensitive: Vec<String>,
    /// Columns whose types were found before and stay; not an option, but what
    /// `segql.lock` says.
    pub pinned: Vec<Field>,
    /// The same of a definition that has changed since: looked into anew, they
    /// have to come out the same.
    pub pinned_earlier: Vec<Field>,
}

const KNOWN: [&str; 17] = [
    "format",
    "key",
    "event_time",
    "null_time",
    "known_at",
    "history",
    "latest_by",
    "time_zone",
    "columns",
    "delimiter",
    "quote",
    "header",
    "null_text",
    "on_bad_row",
    "personal",
    "demographic",
    "sensitive",
];

impl SourceOptions {
    /// The names of all options.
    pub const NAMES: &[&str] = &KNOWN;

    /// Reads the options; an unknown one is an error that names it.
    pub fn read(options: &Options) -> Result<Self> {
        options.check_known("a source", &KNOWN)?;
        let text = |key: &str| options.text(key).map(str::to_owned);
        let one_byte = |key: &str| {
            let Some(text) = options.text(key) else {
                return Ok(None);
            };
            match (text, text.as_bytes()) {
                ("\\t" | "tab", _) => Ok(Some(b'\t')),
                (_, [byte]) => Ok(Some(*byte)),
                _ => Err(
                    Error::new(format!("option '{key}' is one character, not '{text}'"))
                        .at(options.span(key)),
                ),
            }
        };
        let source = Self {
            format: text("format")
                .map(|name| name.parse::<SourceFormat>())
                .transpose()
                .map_err(|error| error.at(options.span("format")))?,
            key: options.list("key")?,
            event_time: text("event_time"),
            null_time: null_time(options)?,
            known_at: text("known_at"),
            history: history(options)?,
            latest_by: text("latest_by"),
            time_zone: text("time_zone"),
            columns: text("columns"),
            delimiter: one_byte("delimiter")?,
            quote: one_byte("quote")?,
            header: options.flag("header")?,
            null_text: options.list("null_text")?,
            on_bad_row: bad_row(options)?,
            personal: options.list("personal")?,
            demographic: options.list("demographic")?,
            sensitive: options.list("sensitive")?,
            pinned: vec![],
            pinned_earlier: vec![],
        };
        let needs_key = [
            ("latest_by", source.latest_by.is_some()),
            ("history", source.history.is_some()),
        ];
        for (option, given) in needs_key {
            if given && source.key.is_empty() {
                return Err(Error::new(format!(
                    "option '{option}' chooses among the rows of a key, and no key is given"
                ))
                .at(options.span(option))
                .hint("add key = '…', the columns that name what the rows are about"));
            }
        }
        Ok(source)
    }

    /// Does it say which rows were there, or known, at a date?
    pub fn knows_time(&self) -> bool {
        self.event_time.is_some()
            || self.known_at.is_some()
            || self.history.is_some()
            || self.latest_by.is_some()
    }

    /// The columns of times of which each row must have one that is not after the as-of.
    pub fn times(&self) -> impl Iterator<Item = &str> {
        let valid_from = self.history.as_ref().map(|(from, _)| from);
        let times = [
            self.event_time.as_ref(),
            self.known_at.as_ref(),
            self.latest_by.as_ref(),
            valid_from,
        ];
        times.into_iter().flatten().map(String::as_str)
    }

    /// Every column the options name, with the option that names it.
    pub fn named_columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lists = [
            ("key", &self.key),
            ("personal", &self.personal),
            ("demographic", &self.demographic),
            ("sensitive", &self.sensitive),
        ];
        let history = self.history.iter().flat_map(|(from, to)| [from, to]);
        let times = [
            ("event_time", &self.event_time),
            ("known_at", &self.known_at),
            ("latest_by", &self.latest_by),
        ];
        let times = times
            .into_iter()
            .filter_map(|(option, name)| Some((option, name.as_deref()?)));
        lists
            .into_iter()
            .flat_map(|(option, names)| names.iter().map(move |name| (option, name.as_str())))
            .chain(times)
            .chain(history.map(|name| ("history", name.as_str())))
    }
}

/// `'valid_from, valid_to'`.
fn history(options: &Options) -> Result<Option<(String, String)>> {
    match options.list("history")?.as_slice() {
        [] => Ok(None),
        [from, to] => Ok(Some((from.clone(), to.clone()))),
        other => Err(Error::new(format!(
            "option 'history' names two columns, from and to, not {}",
            other.len()
        ))
        .at(options.span("history"))
        .hint("write history = 'valid_from, valid_to'")),
    }
}

fn null_time(options: &Options) -> Result<NullTime> {
    match options.text("null_time") {
        None | Some("error") => Ok(NullTime::Error),
        Some("show") => Ok(NullTime::Show),
        Some("hide") => Ok(NullTime::Hide),
        Some(other) => Err(Error::new(format!(
            "option 'null_time' is 'error', 'show' or 'hide', not '{other}'"
        ))
        .at(options.span("null_time"))),
    }
}

fn bad_row(options: &Options) -> Result<BadRow> {
    match options.text("on_bad_row") {
        None | Some("error") => Ok(BadRow::Error),
        Some("reject") => Ok(BadRow::Reject),
        Some(other) => Err(Error::new(format!(
            "option 'on_bad_row' is 'error' or 'reject', not '{other}'"
        ))
        .at(options.span("on_bad_row"))),
    }
}
