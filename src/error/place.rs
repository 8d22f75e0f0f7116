//! Places in the texts people write: a script, a span in it, a line with a caret.

use std::fmt;

use datafusion::sql::sqlparser::tokenizer;
use unicode_width::UnicodeWidthStr;

/// A text of statements with the name messages call it by: a path, `-c`, `stdin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What messages call it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// From where to where; lines and columns count from 1, columns in characters,
/// the end is behind the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Line and column of the first character.
    pub start: (u64, u64),
    /// Line and column behind the last character.
    pub end: (u64, u64),
}

impl Span {
    /// A place of one character, for errors that name only a point.
    pub fn point(line: u64, column: u64) -> Self {
        Self {
            start: (line, column),
            end: (line, column + 1),
        }
    }
}

/// The parser marks what has no place by line 0.
impl Span {
    /// The parser's span, if it is one.
    pub fn from_parser(span: tokenizer::Span) -> Option<Self> {
        (span.start.line > 0).then_some(Self {
            start: (span.start.line, span.start.column),
            end: (span.end.line, span.end.column),
        })
    }
}

/// A place ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the script.
    pub script: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    text: String,
    caret: String,
}

impl Script {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        // Some editors begin a file with a mark that nobody sees.
        let text: String = text.into();
        Self {
            name: name.into(),
            text: text
                .strip_prefix('\u{feff}')
                .map_or(text.clone(), str::to_owned),
        }
    }

    /// The part of the text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        let start = self.offset(span.start);
        let end = self.offset(span.end);
        self.text.get(start..end).unwrap_or_default()
    }

    fn offset(&self, (line, column): (u64, u64)) -> usize {
        let mut line_start = 0;
        for _ in 1..line {
            match self.text[line_start..].find('\n') {
                Some(at) => line_start += at + 1,
                None => return self.text.len(),
            }
        }
        self.text[line_start..]
            .char_indices()
            .nth(column.saturating_sub(1) as usize)
            .map_or(self.text.len(), |(at, _)| line_start + at)
    }

    /// The place to show for a span.
    pub fn place(&self, span: Span) -> Place {
        let (line, column) = span.start;
        let text = self.text.lines().nth(line.saturating_sub(1) as usize);
        let text = text.unwrap_or_default().replace('\t', " ");
        let before: String = text.chars().take(column as usize - 1).collect();
        let marked = match span.end {
            (end_line, end_column) if end_line == line => end_column.saturating_sub(column),
            _ => 1,
        };
        let under: String = text
            .chars()
            .skip(before.chars().count())
            .take(marked as usize)
            .collect();
        Place {
            script: self.name.clone(),
            line,
            column,
            caret: format!(
                "{}{}",
                " ".repeat(before.width()),
                "^".repeat(under.width().max(1))
            ),
            text,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(
            f,
            " {margin}--> {}:{}:{}",
            self.script, self.line, self.column
        )?;
        writeln!(f, " {number} | {}", self.text)?;
        write!(f, " {margin} | {}", self.caret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_line_and_caret_under_wide_letters() {
        let script = Script::new("a.sql", "SELECT 1\nFROM \"日本\" zła;");
        let span = Span {
            start: (2, 11),
            end: (2, 14),
        };
        assert_eq!(script.slice(span), "zła");
        assert_eq!(
            script.place(span).to_string(),
            "  --> a.sql:2:11\n 2 | FROM \"日本\" zła;\n   |             ^^^"
        );
    }

    #[test]
    fn a_place_behind_the_text_does_not_panic() {
        let script = Script::new("a.sql", "");
        assert_eq!(script.slice(Span::point(7, 9)), "");
        assert_eq!(script.place(Span::point(7, 9)).line, 7);
    }
}
