//! Owns the standard streams: the one place of the program that touches them.
//! Results go to stdout, everything said about them to stderr. Refuses to
//! render, and to fail over a message nobody reads any more.

use crate::error::{Error, Exit};
use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::str::FromStr;

/// When colour is used, as `--color` takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    #[default]
    Auto,
    /// Always, `NO_COLOR` or not.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether a stream gets colour, given what it is and what the environment asks.
    fn allows(self, is_terminal: bool, environment_refuses: bool) -> bool {
        match self {
            Self::Auto => is_terminal && !environment_refuses,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl FromStr for ColorChoice {
    type Err = UnknownColorChoice;

    fn from_str(text: &str) -> Result<Self, UnknownColorChoice> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => Err(UnknownColorChoice(other.to_owned())),
        }
    }
}

/// The word given for when to use colour is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownColorChoice(String);

impl fmt::Display for UnknownColorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown choice of colour '{}' (choices: auto, always, never)",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for UnknownColorChoice {}

/// The standard streams, and what is known about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printer {
    quiet: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    color: bool,
    stderr_color: bool,
}

impl Printer {
    /// Looks at the streams and the environment once. With `quiet`, notes are
    /// not printed; errors always are.
    pub fn new(quiet: bool, color: ColorChoice) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let stderr_is_terminal = io::stderr().is_terminal();
        let refused = environment_refuses_color();
        Self {
            quiet,
            stdout_is_terminal,
            stderr_is_terminal,
            color: color.allows(stdout_is_terminal, refused),
            stderr_color: color.allows(stderr_is_terminal, refused),
        }
    }

    /// Whether notes are left out.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results are seen by a person.
    pub fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether messages are seen by a person: progress is shown only then.
    pub fn stderr_is_terminal(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Whether results may be coloured.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether messages may be coloured.
    pub fn stderr_color(&self) -> bool {
        self.stderr_color
    }

    /// Standard output, for results, buffered; it is to be flushed at the end,
    /// as renderers do. That nobody reads any more is an error of kind
    /// [`io::ErrorKind::BrokenPipe`].
    pub fn stdout(&self) -> impl Write + Send + use<> {
        BufWriter::with_capacity(64 * 1024, io::stdout())
    }

    /// Says something about the work on stderr, unless quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            say(&mut io::stderr().lock(), text);
        }
    }

    /// Says what went wrong on stderr.
    pub fn error(&self, text: &str) {
        say(&mut io::stderr().lock(), text);
    }

    /// Says what went wrong, unless nobody is left to read it.
    pub fn report(&self, error: &Error) {
        match error.exit_class() {
            Exit::ClosedPipe => {}
            Exit::Interrupted => self.error("interrupted"),
            _ if self.stderr_color() => self.error(&format!("\x1b[1;31merror:\x1b[0m {error}")),
            _ => self.error(&format!("error: {error}")),
        }
    }

    /// The columns of the terminal that shows results; `None` when there is none.
    pub fn terminal_width(&self) -> Option<usize> {
        if !self.stdout_is_terminal {
            return None;
        }
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width.0)).filter(|width| *width > 0)
    }
}

/// One write for a whole message, so that those of two threads do not mix. A
/// closed stderr leaves nobody to tell.
fn say(stream: &mut dyn Write, text: &str) {
    let mut message = text.to_owned();
    if !message.ends_with('\n') {
        message.push('\n');
    }
    let _ = stream.write_all(message.as_bytes());
    let _ = stream.flush();
}

/// See <https://no-color.org>: any value but the empty one.
fn environment_refuses_color() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    no_color || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::ClosedPipe;
    use super::*;

    #[test]
    fn colour_is_for_terminals_unless_said_otherwise() {
        assert!(ColorChoice::Auto.allows(true, false));
        assert!(!ColorChoice::Auto.allows(true, true));
        assert!(!ColorChoice::Auto.allows(false, false));
        assert!(ColorChoice::Always.allows(false, true));
        assert!(!ColorChoice::Never.allows(true, false));
    }

    #[test]
    fn colour_choices_have_words() {
        assert_eq!("always".parse(), Ok(ColorChoice::Always));
        let error = "yes".parse::<ColorChoice>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown choice of colour 'yes' (choices: auto, always, never)"
        );
    }

    #[test]
    fn a_message_is_one_line_and_a_closed_stream_no_panic() {
        let mut said = Vec::new();
        say(&mut said, "3 rows in 12 ms");
        say(&mut said, "done\n");
        assert_eq!(said, b"3 rows in 12 ms\ndone\n");
        say(&mut ClosedPipe { room: 2 }, "nobody listens");
    }
}
