//! One definition: what was written, and what it mentions.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;

use super::guard_rails::GuardRails;
use super::references::{self, Reference};
use super::{contract, frozen, macros, priority};
use crate::error::{Error, Result, Script, Span};
use crate::source::SourceOptions;
use crate::statement::{Body, Create, Kind, Label, Name, Options, Parsed, Statement};

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
    /// Functions it calls, in small letters.
    pub calls: BTreeSet<String>,
    /// Where relative paths start.
    pub base: PathBuf,
    /// Part of the project, as opposed to typed in the session.
    pub in_project: bool,
    /// Looked at before it is saved: rows that are kept of its name are not its own.
    pub is_trial: bool,
    /// The library it comes from.
    pub library: Option<String>,
    /// Columns of a source that were found before and stay.
    pub pinned: Vec<Field>,
    /// Columns that were found when its definition was another.
    pub pinned_earlier: Vec<Field>,
}

/// How long the name of a file may be, with room for what is added.
const MAX_NAME_BYTES: usize = 240;

const MEMBER_OPTIONS: [&str; 12] = [
    "entity",
    "key",
    "description",
    "owner",
    "purpose",
    "tags",
    "action",
    "channel",
    "min_size",
    "max_size",
    "max_change",
    "nondeterministic",
];

const LABEL_OPTIONS: [&str; 7] = [
    "title",
    "description",
    "action",
    "channel",
    "min_size",
    "max_size",
    "max_change",
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
            Body::Table { table, .. } => vec![Reference::to_name(table)],
            Body::Query { query, .. } => references::of_query(query)?,
            Body::Priority(segments) => segments.iter().map(Reference::to_name).collect(),
            Body::Contract(_) => vec![Reference::to(contract::view_of(&create.name.text))],
            Body::Macro { .. } => vec![],
        };
        let calls = match &create.body {
            Body::Query { query, .. } => references::calls(query.as_ref()),
            Body::Macro { value, .. } => references::calls(value.as_ref()),
            _ => BTreeSet::new(),
        };
        if let Body::Query { query, .. } = &create.body
            && let Some(span) = references::sample(query)
        {
            return Err(Error::new("TABLESAMPLE takes other rows every time")
                .at(Some(span))
                .hint("bucket and holdout take the same part of customers every time"));
        }
        let refused = match &create.body {
            Body::Query { query, .. } => references::refused_call(query.as_ref()),
            _ => None,
        };
        if let Some(function) = refused {
            return Err(Error::new(format!(
                "a definition cannot call {}, which depends on what is defined and was run",
                function.name
            ))
            .at(create.name.span)
            .hint("previous_members('name') is the latest snapshot before the as-of; all else is asked in queries"));
        }
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
            calls,
            base,
            in_project,
            is_trial: false,
            library: None,
            pinned: vec![],
            pinned_earlier: vec![],
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

    /// Does it say of itself that another run may give other rows?
    pub fn is_nondeterministic(&self) -> bool {
        let flag = self.create.options.flag("nondeterministic");
        flag.is_ok_and(|flag| flag == Some(true))
    }

    /// May it give several labels to one key?
    pub fn has_several_labels(&self) -> bool {
        let flag = self.create.options.flag("multiple");
        flag.is_ok_and(|flag| flag == Some(true))
    }

    /// The options of a source, with the columns that were found before.
    pub fn source_options(&self) -> Result<SourceOptions> {
        let mut options = SourceOptions::read(&self.create.options)?;
        options.pinned.clone_from(&self.pinned);
        options.pinned_earlier.clone_from(&self.pinned_earlier);
        Ok(options)
    }

    /// `label: action` of each label that has one.
    pub fn label_actions(&self) -> Vec<String> {
        let labels = match &self.create.body {
            Body::Query { labels, .. } => labels.as_slice(),
            _ => &[],
        };
        let action = |label: &Label| {
            let action = label.options.text("action")?;
            Some(format!("{}: {action}", label.name))
        };
        labels.iter().filter_map(action).collect()
    }

    /// The labels it declares, that of whoever is left over included; empty when
    /// any goes.
    pub fn labels(&self) -> Vec<&str> {
        let declared: Vec<&str> = match &self.create.body {
            Body::Query { labels, .. } => labels.iter().map(|it| it.name.as_str()).collect(),
            Body::Priority(segments) => segments.iter().map(|it| it.text.as_str()).collect(),
            _ => vec![],
        };
        let otherwise = self.create.options.text("otherwise");
        let otherwise = otherwise.filter(|it| !declared.is_empty() && !declared.contains(it));
        declared.into_iter().chain(otherwise).collect()
    }
}

pub(super) fn id(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Entity | Kind::Check | Kind::Function => format!("{kind} {name}"),
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
    let encoded =
        percent_encoding::utf8_percent_encode(&name.text, percent_encoding::NON_ALPHANUMERIC);
    let refused = match create.kind.has_members() && encoded.to_string().len() > MAX_NAME_BYTES {
        true => {
            Some("the name is too long for a folder of the store (letters beyond a to z count six)")
        }
        false => refused,
    };
    match refused {
        Some(reason) => Err(Error::new(format!("'{}': {reason}", name.text)).at(name.span)),
        None => Ok(()),
    }
}

/// The options that a kind of definition has.
pub fn options_of(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Source => SourceOptions::NAMES.to_vec(),
        Kind::Entity | Kind::Function => vec![],
        Kind::View => vec!["description", "owner", "tags", "nondeterministic"],
        Kind::Check => vec!["description", "owner", "tags"],
        Kind::Segment => MEMBER_OPTIONS.to_vec(),
        Kind::Segmentation => {
            let own = ["label", "otherwise", "title", "multiple"];
            MEMBER_OPTIONS.into_iter().chain(own).collect()
        }
    }
}

/// The options of every kind.
pub fn all_options() -> BTreeSet<&'static str> {
    Kind::ALL.into_iter().flat_map(options_of).collect()
}

fn check_options(create: &Create) -> Result<()> {
    let options = &create.options;
    if create.kind == Kind::Source {
        return SourceOptions::read(options).map(|_| ());
    }
    frozen::moment_of(create, chrono_tz::UTC)?;
    let what = format!("a {}", create.kind);
    options.check_known(&what, &options_of(create.kind))?;
    for flag in ["nondeterministic", "multiple"] {
        options.flag(flag)?;
    }
    GuardRails::read(options)?;
    match &create.body {
        Body::Macro {
            parameters, value, ..
        } => macros::check(parameters, value),
        Body::Priority(segments) => check_priority(segments, options),
        Body::Query { labels, .. } => labels.iter().try_for_each(|label| {
            label.options.check_known("a label", &LABEL_OPTIONS)?;
            GuardRails::read(&label.options).map(|_| ())
        }),
        _ => Ok(()),
    }
}

fn check_priority(segments: &[Name], options: &Options) -> Result<()> {
    if let Some((name, span)) = priority::repeated(segments) {
        return Err(Error::new(format!("PRIORITY names '{}' twice", name.text)).at(span));
    }
    let otherwise = options.text("otherwise");
    match segments
        .iter()
        .find(|it| Some(it.text.as_str()) == otherwise)
    {
        None => Ok(()),
        Some(name) => Err(Error::new(format!(
            "OTHERWISE '{0}' would mix whoever is left over with the segment '{0}'",
            name.text
        ))
        .at(name.span)),
    }
}
