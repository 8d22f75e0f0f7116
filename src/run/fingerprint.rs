//! What a snapshot is made from: the same fingerprint makes the same members.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, Definition, Evaluation, Graph, Inputs, files_seen};
use crate::error::Result;
use crate::source::{OpenSource, SourceOptions};
use crate::store::{FrozenRecord, Inputs as InputRecord, SnapshotRecord};

/// The parts of a fingerprint, for the record, and their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Fingerprint {
    /// Texts of the definition and of all it rests on.
    pub(super) definitions: BTreeMap<String, String>,
    /// Variables that these texts mention.
    pub(super) variables: BTreeMap<String, String>,
    /// Earlier snapshots that `previous_members` reads, by name: their date and what they
    /// were made from.
    pub(super) previous: BTreeMap<String, String>,
    /// Frozen views whose kept rows are read: date and id, by name.
    pub(super) frozen: BTreeMap<String, String>,
    /// Definitions among these that may give other rows on another run.
    pub(super) nondeterministic: Vec<String>,
    /// Sources among these that have no times.
    pub(super) timeless: Vec<String>,
    /// Files that are read.
    pub(super) inputs: Vec<InputRecord>,
    /// SHA-256 of texts, variables and as-of: the same wherever a project lies.
    pub(super) definition: String,
    /// SHA-256 of all of it.
    pub(super) sum: String,
    /// What the columns of sources are taken for: found, or pinned.
    columns: BTreeMap<String, String>,
    /// Options that decide about rows; from `[defaults]` they stand in no text.
    options: BTreeMap<String, String>,
}

/// Options that say something about a definition and decide nothing.
const DESCRIBING: [&str; 7] = [
    "description",
    "owner",
    "purpose",
    "tags",
    "action",
    "channel",
    "title",
];

impl Fingerprint {
    pub(super) fn new(
        catalog: &Catalog,
        inputs: &Inputs,
        evaluation: &Evaluation,
        name: &str,
    ) -> Result<Self> {
        let mut made_from = Self::default();
        // Nobody can tell whether a table of the session changed, nor what a view will
        // be that is not frozen yet.
        let mut is_open = false;
        let own = name;
        for name in Graph::new(catalog).over(&inputs.frozen).order([own])? {
            let Some(definition) = catalog.find(name) else {
                continue;
            };
            if let Some(kept) = inputs.frozen.get(name) {
                made_from.add_frozen(definition, kept.as_ref().map_err(Clone::clone)?, evaluation);
                continue;
            }
            is_open |= definition.is_frozen() && definition.name != own;
            refuse_store(catalog, definition)?;
            let mut mentioned = definition.references.iter();
            is_open |= mentioned.any(|it| !it.by_text && catalog.find(&it.name).is_none());
            made_from.add_definition(catalog, definition);
            made_from.add_previous(definition, inputs, evaluation);
            if let Some(Ok((source, options))) = inputs.sources.get(name) {
                made_from.add_source(name, source, options, evaluation)?;
            }
        }
        // An entity decides about keys and about who is left over.
        for entity in catalog.of_kind(crate::statement::Kind::Entity) {
            made_from
                .definitions
                .insert(entity.id(), entity.text.clone());
        }
        made_from.add_variables(evaluation);
        made_from.definition = made_from.checksum(&[], &made_from.previous_dates(), evaluation);
        made_from.sum = made_from.checksum(&made_from.inputs, &made_from.previous, evaluation);
        if is_open {
            let now = chrono::Utc::now().timestamp_micros();
            made_from.sum.push_str(&format!("-{now}"));
        }
        Ok(made_from)
    }

    fn add_definition(&mut self, catalog: &Catalog, definition: &Definition) {
        let name = &definition.name;
        if definition.is_nondeterministic() {
            self.nondeterministic.push(name.clone());
        }
        self.definitions
            .insert(name.clone(), definition.text.clone());
        for (id, function) in catalog.functions_below(definition) {
            self.definitions.insert(id, function.text.clone());
        }
        for (option, value) in definition.create.options.iter() {
            if !DESCRIBING.contains(&option) {
                self.options.insert(format!("{name} {option}"), value);
            }
        }
    }

    /// What its rows were made from stands in their own record.
    fn add_frozen(&mut self, definition: &Definition, kept: &FrozenRecord, at: &Evaluation) {
        let name = &definition.name;
        self.definitions
            .insert(name.clone(), definition.text.clone());
        self.frozen
            .insert(name.clone(), format!("{} {}", kept.as_of, kept.id));
        self.nondeterministic
            .extend(kept.nondeterministic.iter().cloned());
        self.timeless.extend(kept.timeless.iter().cloned());
        // To an earlier date they are something that came to be known later.
        if kept.instant.timestamp_nanos_opt() > Some(at.moment.nanos()) {
            self.timeless.push(name.clone());
        }
    }

    fn add_previous(&mut self, definition: &Definition, inputs: &Inputs, at: &Evaluation) {
        for reference in definition.references.iter().filter(|it| it.previous) {
            let record = inputs.previous(&reference.name, at.moment.date());
            // What it was made from, not its content: that someone is erased from it
            // (`segql forget`) is no reason to compute anew what was made of it.
            let made_from = |it: &SnapshotRecord| format!("{} {}", it.as_of, it.fingerprint);
            let read = record.map_or_else(String::new, made_from);
            self.previous.insert(reference.name.clone(), read);
        }
    }

    fn add_source(
        &mut self,
        name: &str,
        source: &OpenSource,
        options: &SourceOptions,
        evaluation: &Evaluation,
    ) -> Result<()> {
        if !options.knows_time() {
            self.timeless.push(name.to_owned());
        }
        let fields = source.schema.fields().iter();
        let columns: Vec<String> = fields
            .map(|it| format!("{} {}", it.name(), it.data_type()))
            .collect();
        self.columns.insert(name.to_owned(), columns.join(", "));
        self.inputs.push(InputRecord {
            source: name.to_owned(),
            files: files_seen(source, options, &evaluation.moment)?,
        });
        Ok(())
    }

    /// The variables that the texts so far mention.
    fn add_variables(&mut self, evaluation: &Evaluation) {
        let texts: Vec<String> = self
            .definitions
            .values()
            .map(|it| it.to_lowercase())
            .collect();
        let mentioned = |name: &str| {
            let wanted = format!("${name}");
            texts.iter().any(|text| text.contains(&wanted))
        };
        self.variables = evaluation
            .variables
            .iter()
            .filter(|(name, _)| mentioned(name))
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
    }

    /// Earlier snapshots by their dates alone: what they were made from tells where a
    /// project lies.
    fn previous_dates(&self) -> BTreeMap<String, String> {
        let date = |read: &String| read.split(' ').next().unwrap_or_default().to_owned();
        let dates = self.previous.iter();
        dates
            .map(|(name, read)| (name.clone(), date(read)))
            .collect()
    }

    fn checksum(
        &self,
        files: &[InputRecord],
        previous: &BTreeMap<String, String>,
        evaluation: &Evaluation,
    ) -> String {
        let mut hash = Sha256::new();
        // Each part with its length, so that no two sets of parts look the same.
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&evaluation.moment.nanos().to_string());
        add(evaluation.moment.zone().name());
        for (part, texts) in [
            ("definitions", &self.definitions),
            ("variables", &self.variables),
            ("previous", previous),
            ("frozen", &self.frozen),
            ("columns", &self.columns),
            ("options", &self.options),
        ] {
            add(part);
            for (name, text) in texts {
                add(name);
                add(text);
            }
        }
        add("files");
        for input in files {
            add(&input.source);
            for file in &input.files {
                add(&file.path.to_string_lossy());
                add(&format!("{} {}", file.size, file.modified));
            }
        }
        let digest = hash.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What the store holds is no input: a segment that read it would change
/// without anything it rests on having changed.
fn refuse_store(catalog: &Catalog, definition: &Definition) -> Result<()> {
    let mut mentioned = definition.references.iter();
    let by_date =
        mentioned.find(|it| it.by_text && !it.previous && catalog.find(&it.name).is_some());
    match by_date {
        None => Ok(()),
        Some(reference) => Err(definition
            .error(format!(
                "{} '{}' reads members('{}'), which depends on what the store holds",
                definition.kind(),
                definition.name,
                reference.name
            ))
            .hint(format!(
                "select FROM {0} itself, or FROM previous_members('{0}') for its latest earlier snapshot",
                reference.name
            ))),
    }
}
