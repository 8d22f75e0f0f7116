//! Text → statements. `-c`, `-f`, standard input, project files and the shell
//! all come through here; nothing is planned, resolved or run.
//!
//! A script is split by tokens, so that `;`, `--` and quotes inside strings and
//! comments mean nothing. What is segql's own becomes a typed [`Statement`];
//! all else is handed on as DataFusion's.

mod contract;
mod create;
mod options;
mod parse;
mod reference;
mod split;

use std::fmt;
use std::sync::Arc;

pub use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::{DataType, Expr, Ident, Query};

use crate::error::{Script, Span};

pub use contract::{Asked, Values, contract};
pub use options::{OptionValue, Options};
pub use parse::parse;
pub use reference::{STATEMENTS, StatementReference};
pub use split::is_complete;

/// A statement with the text it was written as.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What it says.
    pub statement: Statement,
    /// The script it stands in.
    pub script: Arc<Script>,
    /// Its own text, without the semicolon.
    pub text: String,
    /// Where its text lies in the script.
    pub span: Span,
    /// The comment right above it.
    pub comment: Option<String>,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `CREATE SOURCE | ENTITY | VIEW | SEGMENT | SEGMENTATION | CHECK | FUNCTION`.
    Create(Box<Create>),
    /// `DROP … name`.
    Drop(Drop),
    /// `SHOW SOURCES` and relatives.
    Show(Listing),
    /// `SHOW segql.…`.
    ShowSetting {
        /// The setting behind `segql.`.
        setting: String,
        /// Where it stands.
        span: Option<Span>,
    },
    /// `DESCRIBE [SEGMENT] name`.
    Describe(Name),
    /// `MATERIALIZE [SEGMENT] name [TO 'file'] [WITH (…)]`.
    Materialize {
        /// Which.
        name: Name,
        /// A file of its own instead of the store.
        to: Option<String>,
        /// `WITH (restate = true, force = true)`.
        options: Options,
    },
    /// `DIFF [SEGMENT | SEGMENTATION] name … AS query`: the definition as it would be.
    Diff(Box<Create>),
    /// `INCLUDE LIBRARY name, …`.
    Include(Vec<Name>),
    /// `SET segql.… = …`.
    Set {
        /// The setting behind `segql.`.
        setting: String,
        /// The value as text.
        value: String,
        /// Where the value stands.
        span: Option<Span>,
    },
    /// Everything DataFusion knows.
    Sql(Box<SqlStatement>),
}

/// What a definition defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A named input.
    Source,
    /// Whom segments are about.
    Entity,
    /// Plain SQL over sources and other views.
    View,
    /// Who is in: one row per key.
    Segment,
    /// One label per key.
    Segmentation,
    /// A query whose rows are violations.
    Check,
    /// An SQL macro: an expression with parameters.
    Function,
}

impl Kind {
    /// Every kind, in the order they build on each other.
    pub const ALL: [Kind; 7] = [
        Kind::Source,
        Kind::Entity,
        Kind::View,
        Kind::Segment,
        Kind::Segmentation,
        Kind::Check,
        Kind::Function,
    ];

    /// The word in statements, in small letters.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Entity => "entity",
            Kind::View => "view",
            Kind::Segment => "segment",
            Kind::Segmentation => "segmentation",
            Kind::Check => "check",
            Kind::Function => "function",
        }
    }

    /// Sources, views, segments and segmentations are selected FROM by name.
    pub fn is_relation(self) -> bool {
        matches!(self, Kind::Source | Kind::View) || self.has_members()
    }

    /// Segments and segmentations have members and snapshots.
    pub fn has_members(self) -> bool {
        matches!(self, Kind::Segment | Kind::Segmentation)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A name as written, folded to small letters unless quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name; parts of a qualified one joined by a dot.
    pub text: String,
    /// Where it stands.
    pub span: Option<Span>,
}

/// `CREATE [OR REPLACE] kind name …`.
#[derive(Debug, Clone)]
pub struct Create {
    /// What is defined.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// May it replace one of the same name?
    pub or_replace: bool,
    /// Is it left alone when there is one of the same name?
    pub if_not_exists: bool,
    /// `WITH (…)`.
    pub options: Options,
    /// `AS OF 'date'` of a frozen view.
    pub frozen: Option<AsOf>,
    /// What it is made of.
    pub body: Body,
}

/// The date or instant that a frozen view is computed at.
#[derive(Debug, Clone)]
pub struct AsOf {
    /// As written.
    pub text: String,
    /// Where it stands.
    pub span: Option<Span>,
}

/// What a definition is made of.
#[derive(Debug, Clone)]
pub enum Body {
    /// `FROM 'path'` of a source.
    Location(String),
    /// `FROM table KEY column` of an entity.
    Table {
        /// The table that lists all members.
        table: Name,
        /// Its key column.
        key: Ident,
    },
    /// `AS query`, with names for its columns where a view gives them.
    Query {
        /// The query, its spans those of the script.
        query: Box<Query>,
        /// `CREATE VIEW name (a, b)`.
        columns: Vec<Ident>,
        /// `LABELS (…)` of a segmentation; empty when any label goes.
        labels: Vec<Label>,
    },
    /// `AS PRIORITY (segment, …)`: the first that has the key gives the label.
    Priority(Vec<Name>),
    /// What the library asks of a view of the project: `base.orders` of `orders`.
    Contract(Vec<Asked>),
    /// `(parameters) RETURN expression`.
    Macro {
        /// What it is called with.
        parameters: Vec<Parameter>,
        /// `RETURNS type`: the result is cast to it.
        returns: Option<DataType>,
        /// The expression, its spans those of the script.
        value: Box<Expr>,
    },
}

/// A parameter of a macro; without a name it is `$1`, `$2`, … in its order.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: Option<Ident>,
    /// The type that arguments are cast to.
    pub data_type: Option<DataType>,
}

/// A label that a segmentation may give, and what is said of it.
#[derive(Debug, Clone)]
pub struct Label {
    /// The label.
    pub name: String,
    /// `WITH (title = …, action = …)`.
    pub options: Options,
}

/// `DROP kind [IF EXISTS] name`.
#[derive(Debug, Clone)]
pub struct Drop {
    /// The kind named.
    pub kind: Kind,
    /// Which.
    pub name: Name,
    /// Silent when there is none.
    pub if_exists: bool,
}

/// What `SHOW` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Definitions of one kind.
    Kind(Kind),
    /// Frozen views, and what is kept of them.
    FrozenViews,
    /// Everything that can be selected from.
    Tables,
    /// The libraries that can be included.
    Libraries,
}
