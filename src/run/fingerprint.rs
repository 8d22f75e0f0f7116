//! What a snapshot is made from: the same fingerprint makes the same members.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, Evaluation, Graph, Inputs};
use crate::error::Result;
use crate::store::Inputs as InputRecord;

/// The parts of a fingerprint, for the record, and their sum.
#[derive(Debug, Clone)]
pub(super) struct Fingerprint {
    /// Texts of the definition and of all it rests on.
    pub(super) definitions: BTreeMap<String, String>,
    /// Variables that these texts mention.
    pub(super) variables: BTreeMap<String, String>,
    /// Files that are read.
    pub(super) inputs: Vec<InputRecord>,
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
        for name in Graph::new(catalog).order([name])? {
            if let Some(definition) = catalog.find(name) {
                definitions.insert(name.to_owned(), definition.text.clone());
            }
            if let Some(Ok((source, _))) = inputs.sources.get(name) {
                files.push(InputRecord {
                    source: name.to_owned(),
                    files: source.files.clone(),
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
        let sum = sum(&definitions, &variables, &files, evaluation);
        Ok(Self {
            definitions,
            variables,
            inputs: files,
            sum,
        })
    }
}

fn sum(
    definitions: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
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
    for (name, text) in definitions.iter().chain(variables) {
        add(name);
        add(text);
    }
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
