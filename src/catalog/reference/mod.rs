//! The reference: functions, relations, statements, and the library with all its segments,
//! each told of by itself and found by its name or by words.

mod functions;
mod search;
mod segments;

use std::fmt::Write as _;

use datafusion::arrow::array::RecordBatch;

use super::relations::{SYSTEM_RELATIONS, texts};
use crate::error::{Error, Result, suggest};
use crate::statement::STATEMENTS;

/// What the reference says of one thing.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is: function, relation, statement, library, segment, label, …
    pub kind: &'static str,
    /// How it is written in SQL.
    pub call: String,
    /// What it means, the first sentence by itself.
    pub meaning: String,
    /// Arguments, variables, actions: a line each.
    details: Vec<String>,
    /// What it looks like, as it is printed.
    example: Option<String>,
    /// Words that it is found by beside those of its name and meaning.
    words: String,
}

/// Everything there is to look up: functions, relations, statements, then the library.
pub fn reference() -> Result<Vec<Entry>> {
    let mut all = functions::functions();
    all.extend(SYSTEM_RELATIONS.iter().map(|(name, meaning)| Entry {
        name: format!("segql.{name}"),
        kind: "relation",
        call: format!("SELECT * FROM segql.{name}"),
        meaning: (*meaning).to_owned(),
        ..Entry::default()
    }));
    all.extend(STATEMENTS.iter().map(|it| Entry {
        name: it.name.to_owned(),
        kind: "statement",
        call: it.call.to_owned(),
        meaning: it.meaning.to_owned(),
        example: Some(format!("{};", it.example)),
        ..Entry::default()
    }));
    all.extend(segments::segments()?);
    Ok(all)
}

/// What was asked for.
#[derive(Debug)]
pub enum Found<'r> {
    /// Those of this name: a function and a library may share one.
    Named(Vec<&'r Entry>),
    /// Those with all these words, the likeliest first.
    Several(Vec<&'r Entry>),
}

/// Looks up a name, else words.
pub fn look_up<'r>(all: &'r [Entry], asked: &str) -> Result<Found<'r>> {
    let is_named = |it: &&Entry| it.name.eq_ignore_ascii_case(asked);
    let named: Vec<&Entry> = all.iter().filter(is_named).collect();
    if !named.is_empty() {
        return Ok(Found::Named(named));
    }
    let several = search::with_words(all, asked);
    if several.is_empty() {
        let known = all.iter().map(|it| it.name.as_str());
        return Err(Error::usage(format!(
            "nothing of segql's own is called '{asked}' or told of in these words"
        ))
        .hint_if(suggest(asked, known))
        .hint("segql functions lists all there is; all of DataFusion's functions work as well"));
    }
    Ok(Found::Several(several))
}

/// A row for each.
pub fn reference_listing<'r>(entries: impl IntoIterator<Item = &'r Entry>) -> Result<RecordBatch> {
    let rows = entries.into_iter().map(|it| {
        let meaning = first_sentence(&it.meaning).to_owned();
        [
            it.name.clone(),
            it.kind.to_owned(),
            it.call.clone(),
            meaning,
        ]
    });
    texts(
        ["name", "kind", "call", "meaning"],
        &rows.collect::<Vec<_>>(),
    )
}

impl Entry {
    /// Everything that is said of it.
    pub fn page(&self) -> String {
        let (name, call, meaning) = (&self.name, &self.call, &self.meaning);
        let mut page = format!("{name}: {}\n\n  {call}\n\n{meaning}\n", self.kind);
        for detail in &self.details {
            let _ = write!(page, "\n  {}", detail.replace('\n', "\n  "));
        }
        if let Some(example) = &self.example {
            let body = example.replace("```sql", "").replace("```", "");
            let _ = write!(page, "\n\nExample:\n\n{}", body.trim());
        }
        page
    }
}

fn first_sentence(text: &str) -> String {
    let lines = text.trim().lines().map(str::trim).collect::<Vec<_>>();
    let line = lines.join(" ");
    line.split_once(". ")
        .map_or(line.as_str(), |(first, _)| first)
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_told_of() {
        let all = reference().expect("manifests parse");
        for entry in &all {
            let same =
                |it: &&Entry| it.name.eq_ignore_ascii_case(&entry.name) && it.kind == entry.kind;
            assert_eq!(all.iter().filter(same).count(), 1, "{}", entry.name);
            assert!(!entry.meaning.is_empty(), "{}", entry.name);
            assert!(entry.page().contains(&entry.call), "{}", entry.name);
        }
    }

    #[test]
    fn the_first_sentence_goes_over_lines_and_loses_its_stop() {
        assert_eq!(first_sentence("One\nrow. Two."), "One row");
        assert_eq!(first_sentence("Only this."), "Only this");
    }

    #[test]
    fn names_come_before_words_and_mistypes_get_a_hint() {
        let all = reference().expect("manifests parse");
        let named = |asked: &str| match look_up(&all, asked) {
            Ok(Found::Named(found)) => found.iter().map(|it| it.kind).collect(),
            _ => vec![],
        };
        assert_eq!(named("RFM_Score"), ["window function"]);
        assert_eq!(named("affinity"), ["aggregate", "library"]);
        assert!(matches!(look_up(&all, "winback"), Ok(Found::Several(_))));
        let error = look_up(&all, "rmf_score").expect_err("none").to_string();
        assert!(error.contains("did you mean 'rfm_score'?"), "{error}");
    }
}
