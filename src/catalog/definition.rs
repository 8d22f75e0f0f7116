//! One definition: what was written, and what it mentions.

use std::path::PathBuf;
use std::sync::Arc;

use super::references::{self, Reference};
use crate::error::{Error, Result, Script, Span};
use crate::source::SourceOptions;
use crate::statement::{Body, Create, Kind, Parsed, Statement};

/// A definition, kept as text and syntax tree; planned anew at each use.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The statement's tree.
    pub create: Create,
    /// The statement's text.
    pub text: String,
    /// Where it was written.
    pub script: Arc<Script>,
    /// Its text's place in the script.
    pub span: Span,
    /// What it says about itself: option `description`, or the comment above.
    pub description: Option<String>,
    /// What it mentions.
    pub references: Vec<Reference>,
    /// Where relative paths start.
    pub base: PathBuf,
    /// Part of the project, as opposed to typed in the session.
    pub in_project: bool,
    /// The library it comes from.
    pub library: Option<String>,
}

const MEMBER_OPTIONS: [&str; 8] = [
    "entity",
    "key",
    "description",
    "owner",
    "purpose",
    "tags",
    "action",
    "channel",
];

impl Definition {
    /// From a parsed `CREATE` statement; options are checked here, all else
    /// when it is used.
    pub fn new(parsed: &Parsed, base: PathBuf, in_project: bool) -> Result<Self> {
        let Statement::Create(create) = &parsed.statement else {
            return Err(Error::new("not a definition"));
        };
        let create = create.as_ref().clone();
        check_name(&create)?;
        check_options(&create)?;
        let references = match &create.body {
            Body::Location(_) => vec![],
            Body::Table { table, .. } => vec![Reference {
                place: table
                    .span
                    .map(|span| (span.start.0, span.start.1, span.end.0, span.end.1)),
                ..Reference::to(&table.text)
            }],
            Body::Query { query, .. } => references::of_query(query)?,
        };
        let own = references.iter().find(|found| {
            found.name.starts_with("segql.") || found.name.starts_with("information_schema.")
        });
        if let Some(found) = own {
            return Err(Error::new(format!(
                "a definition cannot read {}, which depends on what is defined and was run",
                found.name
            ))
            .at(found.span()));
        }
        let described = create.options.text("description").map(str::to_owned);
        Ok(Self {
            name: create.name.text.clone(),
            description: described.or_else(|| parsed.comment.clone()),
            text: parsed.text.clone(),
            script: Arc::clone(&parsed.script),
            span: parsed.span,
            create,
            references,
            base,
            in_project,
            library: None,
        })
    }

    /// What tells it from all others: its name; of an entity or check, which
    /// cannot be selected from, with the kind before it.
    pub fn id(&self) -> String {
        id(self.kind(), &self.name)
    }

    /// What it defines.
    pub fn kind(&self) -> Kind {
        self.create.kind
    }

    /// An error at its name.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(message)
            .at(self.create.name.span)
            .within(&self.script)
    }

    /// The labels it declares; empty when any goes.
    pub fn labels(&self) -> Vec<&str> {
        match &self.create.body {
            Body::Query { labels, .. } => labels.iter().map(|label| label.name.as_str()).collect(),
            _ => vec![],
        }
    }
}

pub(super) fn id(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Entity | Kind::Check => format!("{kind} {name}"),
        _ => name.to_owned(),
    }
}

fn check_name(create: &Create) -> Result<()> {
    let name = &create.name;
    let refused = if name.text.contains(':') {
        Some("a name cannot contain ':', which parts a segmentation from its label")
    } else if name.text.starts_with("segql.") || name.text.starts_with("information_schema.") {
        Some("this schema is segql's own")
    } else {
        None
    };
    match refused {
        Some(reason) => Err(Error::new(format!("'{}': {reason}", name.text)).at(name.span)),
        None => Ok(()),
    }
}

fn check_options(create: &Create) -> Result<()> {
    let options = &create.options;
    let what = format!("a {}", create.kind);
    match create.kind {
        Kind::Source => SourceOptions::read(options).map(|_| ()),
        Kind::Entity | Kind::View => Ok(()),
        Kind::Check => options.check_known(&what, &["description", "owner", "tags"]),
        Kind::Segment => options.check_known(&what, &MEMBER_OPTIONS),
        Kind::Segmentation => {
            let known: Vec<&str> = MEMBER_OPTIONS
                .into_iter()
                .chain(["label", "otherwise", "title"])
                .collect();
            options.check_known(&what, &known)?;
            let Body::Query { labels, .. } = &create.body else {
                return Ok(());
            };
            let label_options = ["title", "description", "action", "channel"];
            labels
                .iter()
                .try_for_each(|label| label.options.check_known("a label", &label_options))
        }
    }
}
