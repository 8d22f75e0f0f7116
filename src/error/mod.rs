//! The one error type: what failed, where, and how to mend it.
//!
//! Every room returns [`Error`]; only `cli` and `repl` turn it into text and an
//! exit code. A message says what failed and the value seen, a hint says what
//! to do; neither says "you" nor names a Rust type.

mod place;
mod remote;
mod resources;
mod translate;

use std::fmt;

pub use place::{Place, Script, Span};
pub use resources::holders;
pub use translate::suggest;

/// Result of everything in segql that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How the process ends because of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The work failed.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// A check fell short.
    CheckFailed,
    /// The time given was not enough.
    TimedOut,
    /// Ctrl-C.
    Interrupted,
    /// The reader of standard output went away; ends quietly.
    ClosedPipe,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::CheckFailed => 3,
            Exit::TimedOut => 124,
            Exit::Interrupted => 130,
            Exit::ClosedPipe => 0,
        }
    }
}

/// What failed, where, and what to do.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    exit: Exit,
    message: String,
    span: Option<Span>,
    place: Option<Place>,
    hints: Vec<String>,
}

impl Error {
    /// Work that failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            exit: Exit::Failed,
            message: message.into(),
            span: None,
            place: None,
            hints: vec![],
        }))
    }

    /// Wrong usage or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).exit(Exit::Usage)
    }

    /// The same error, ending the process in another way.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// Adds a hint: what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds the hint if there is one.
    pub fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Marks where in its text the error lies, unless that is known.
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.0.span = self.0.span.or(span);
        self
    }

    /// Names the text the span refers to, unless that is known.
    pub fn within(mut self, script: &Script) -> Self {
        if self.0.place.is_none() {
            self.0.place = self.0.span.map(|span| script.place(span));
        }
        self
    }

    /// Puts what was being done before the message: `segment vip: …`.
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// The message alone, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, in the order given.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Where it lies, if known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// How the process ends.
    pub fn exit_class(&self) -> Exit {
        self.0.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)?;
        if let Some(place) = &self.0.place {
            write!(f, "\n{place}")?;
        }
        for hint in &self.0.hints {
            write!(f, "\n  help: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Exit::ClosedPipe,
            _ => Exit::Failed,
        };
        let text = error.to_string();
        let hint = resources::temporary_folder(&text);
        Self::new(text).exit(exit).hint_if(hint)
    }
}
