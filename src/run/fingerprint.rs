//! What a snapshot is made from: the same fingerprint makes the same members.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, Definition, Evaluation, Graph, Inputs, files_seen};
use crate::error::Result;
use crate::store::Inputs as InputRecord;

/// The parts of a fingerprint, for the record, and their sum.
#[derive(Debug, Clone)]
pub(super) struct Fingerprint {
    /// Texts of the definition and of all it rests on.
    pub(super) definitions: BTreeMap<String, String>,
    /// Variables that these texts mention.
    pub(super) variables: BTreeMap<String, String>,
    /// Earlier snapshots that `previous_members` reads: date and id, by name.
    pub(super) previous: BTreeMap<String, String>,
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
}

impl Fingerprint {
    pub(super) fn new(
        catalog: &Catalog,
        inputs: &Inputs,
        evaluation: &Evaluation,
        name: &str,
    ) -> Result<Self> {
        let mut definitions = BTreeMap::new();
        let mut files = vec![];
        let mut previous = BTreeMap::new();
        let (mut nondeterministic, mut timeless) = (vec![], vec![]);
        let mut reads_table = false;
        for name in Graph::new(catalog).order([name])? {
            if let Some(definition) = catalog.find(name) {
                refuse_store(catalog, definition)?;
                if definition.is_nondeterministic() {
                    nondeterministic.push(name.to_owned());
                }
                let mut mentioned = definition.references.iter();
                reads_table |= mentioned.any(|it| !it.by_text && catalog.find(&it.name).is_none());
                definitions.insert(name.to_owned(), definition.text.clone());
                for (id, function) in catalog.functions_below(definition) {
                    definitions.insert(id, function.text.clone());
                }
                let earlier = definition.references.iter().filter(|it| it.previous);
                for reference in earlier {
                    let record = inputs.previous(&reference.name, evaluation.moment.date());
                    previous.insert(
                        reference.name.clone(),
                        record.map_or_else(String::new, |it| format!("{} {}", it.as_of, it.id)),
                    );
                }
            }
            if let Some(Ok((source, options))) = inputs.sources.get(name) {
                if !options.knows_time() {
                    timeless.push(name.to_owned());
                }
                files.push(InputRecord {
                    source: name.to_owned(),
                    files: files_seen(source, options, &evaluation.moment)?,
                });
            }
        }
        // An entity decides about keys and about who is left over.
        for entity in catalog.of_kind(crate::statement::Kind::Entity) {
            definitions.insert(entity.id(), entity.text.clone());
        }
        let mentioned = |name: &str| {
            let wanted = format!("${name}");
            definitions
                .values()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        let variables: BTreeMap<String, String> = evaluation
            .variables
            .iter()
            .filter(|(name, _)| mentioned(name))
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let texts = [
            ("definitions", &definitions),
            ("variables", &variables),
            ("previous", &previous),
        ];
        let mut sum = sum(texts, &files, evaluation);
        if reads_table {
            // Nobody can tell whether a table of the session changed.
            sum.push_str(&format!("-{}", chrono::Utc::now().timestamp_micros()));
        }
        Ok(Self {
            definition: self::sum(texts, &[], evaluation),
            previous,
            nondeterministic,
            timeless,
            definitions,
            variables,
            inputs: files,
            sum,
        })
    }
}

/// What the store holds is no input: a segment that read it would change
/// without anything it rests on having changed.
fn refuse_store(catalog: &Catalog, definition: &Definition) -> Result<()> {
    let mut mentioned = definition.references.iter();
    let by_date = mentioned.find(|it| it.by_text && !it.previous && catalog.find(&it.name).is_some());
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

fn sum(
    texts: [(&str, &BTreeMap<String, String>); 3],
    files: &[InputRecord],
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
    for (part, texts) in texts {
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
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
