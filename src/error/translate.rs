//! DataFusion's errors in segql's words: no prefixes of crates, no type names,
//! the place where the planner or parser knows it.

use std::error::Error as StdError;

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::TokenizerError;

use super::resources::out_of_memory;
use super::{Error, Exit, Span};

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) => (*inner).into(),
            DataFusionError::Shared(inner) => from_ref(&inner),
            DataFusionError::Diagnostic(diagnostic, inner) => {
                let span = diagnostic.span.map(|span| Span {
                    start: (span.start.line, span.start.column),
                    end: (span.end.line, span.end.column),
                });
                let error = Error::from(*inner).at(span);
                diagnostic
                    .helps
                    .iter()
                    .fold(error, |error, help| error.hint(help.message.clone()))
            }
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(own) => *own,
                Err(inner) => from_text(&inner.to_string()),
            },
            DataFusionError::Collection(errors) => match errors.into_iter().next() {
                Some(first) => first.into(),
                None => Error::new("the query failed"),
            },
            DataFusionError::SQL(inner, _) => (*inner).into(),
            DataFusionError::IoError(inner) => inner.into(),
            DataFusionError::ResourcesExhausted(text) => out_of_memory(&text),
            other => from_ref(&other),
        }
    }
}

fn from_ref(error: &DataFusionError) -> Error {
    if let DataFusionError::External(inner) = error
        && let Some(own) = inner.downcast_ref::<Error>()
    {
        return own.clone();
    }
    if let DataFusionError::SchemaError(inner, _) = error
        && let SchemaError::FieldNotFound {
            field,
            valid_fields,
        } = inner.as_ref()
    {
        return unknown_column(field, valid_fields);
    }
    if let Some(explained) = of_object_store(error) {
        return explained;
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) => out_of_memory(text),
        _ => from_text(&error.strip_backtrace()),
    }
}

/// What a request to an object store failed with, however deep it is wrapped.
fn of_object_store(error: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<datafusion::object_store::Error>() {
            return super::remote::explain(error);
        }
        cause = error.source();
    }
    None
}

fn unknown_column(
    field: &datafusion::common::Column,
    valid: &[datafusion::common::Column],
) -> Error {
    let mut names: Vec<&str> = vec![];
    for column in valid {
        // What ORDER BY may name is known as it is selected and as it was before.
        if !names.contains(&column.name.as_str()) {
            names.push(&column.name);
        }
    }
    if field.name == "all" {
        return Error::new("there is no ORDER BY ALL here")
            .hint("name the columns, or their places: ORDER BY 1, 2");
    }
    let hint = suggest(&field.name, names.iter().copied()).or_else(|| {
        (!names.is_empty() && names.len() <= 20)
            .then(|| format!("the columns here are {}", names.join(", ")))
    });
    Error::new(format!("column '{}' not found", field.flat_name())).hint_if(hint)
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Self {
        match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => from_text(&text),
            ParserError::RecursionLimitExceeded => Error::new("the statement is nested too deeply")
                .hint("split it into views that build on each other"),
        }
    }
}

impl From<TokenizerError> for Error {
    fn from(error: TokenizerError) -> Self {
        Error::new(decapitalize(&error.message)).at(Some(Span::point(
            error.location.line.max(1),
            error.location.column.max(1),
        )))
    }
}

impl From<datafusion::arrow::error::ArrowError> for Error {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<datafusion::parquet::errors::ParquetError> for Error {
    fn from(error: datafusion::parquet::errors::ParquetError) -> Self {
        from_text(&error.to_string())
    }
}

impl From<datafusion::object_store::Error> for Error {
    fn from(error: datafusion::object_store::Error) -> Self {
        super::remote::explain(&error).unwrap_or_else(|| from_text(&error.to_string()))
    }
}

/// For handing our errors through DataFusion's interfaces and back unchanged.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

const PREFIXES: [&str; 17] = [
    "Error during planning: ",
    "External error: ",
    "Arrow error: ",
    "Parquet error: ",
    "Object Store error: ",
    "Execution error: ",
    "SQL error: ",
    "Schema error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
    "Optimizer rule 'simplify_expressions' failed",
    "type_coercion",
    "caused by",
    "Invalid argument error: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
];

/// A message as text: crates' prefixes taken off, a trailing place read.
fn from_text(text: &str) -> Error {
    let mut text = text.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest.trim_start();
    }
    if let Some(explained) = super::remote::explain_text(text, None) {
        return explained;
    }
    let text = text
        .strip_prefix("Internal error: ")
        .unwrap_or(text)
        .split("\n\nbacktrace:")
        .next()
        .unwrap_or(text)
        .split("This issue was likely caused by a bug in DataFusion")
        .next()
        .unwrap_or(text);
    let (message, span) = split_place(text.trim_end());
    let exit = match text {
        text if text.contains("Broken pipe") => Exit::ClosedPipe,
        _ => Exit::Failed,
    };
    let (message, hint) = split_hint(message);
    let message = in_sql_words(message.trim_end_matches('.'));
    Error::new(decapitalize(&message))
        .hint_if(super::resources::temporary_folder(&message))
        .at(span)
        .exit(exit)
        .hint_if(hint)
}

/// Arrow's names for types that slip into messages of casts.
const TYPES: [(&str, &str); 15] = [
    ("Decimal128", "DECIMAL"),
    ("Int8", "TINYINT"),
    ("Int16", "SMALLINT"),
    ("Int32", "INTEGER"),
    ("Int64", "BIGINT"),
    ("UInt8", "TINYINT UNSIGNED"),
    ("UInt16", "SMALLINT UNSIGNED"),
    ("UInt32", "INTEGER UNSIGNED"),
    ("UInt64", "BIGINT UNSIGNED"),
    ("Float32", "REAL"),
    ("Float64", "DOUBLE"),
    ("Utf8", "VARCHAR"),
    ("Utf8View", "VARCHAR"),
    ("LargeUtf8", "VARCHAR"),
    ("Date32", "DATE"),
];

fn in_sql_words(message: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = String::with_capacity(message.len());
    for word in message.split_inclusive(|c| !is_part(c)) {
        let bare = word.trim_end_matches(|c| !is_part(c));
        let known = TYPES.iter().find(|(arrow, _)| *arrow == bare);
        text.push_str(known.map_or(bare, |(_, sql)| sql));
        text.push_str(&word[bare.len()..]);
    }
    shorten(&text)
}

/// Messages that show the planner's own trees, or say the same twice.
fn shorten(text: &str) -> String {
    if let Some((short, _)) = text.split_once(": While expanding wildcard, ") {
        return short.to_owned();
    }
    if text.contains("WindowFunction(WindowFunction {") {
        return "a window function cannot stand here; compute it in a subquery, or filter with \
                QUALIFY"
            .to_owned();
    }
    if text.starts_with("physical plan does not support logical expression") {
        return "a subquery refers to the row outside it in a way that is not supported; a join \
                says the same"
            .to_owned();
    }
    if text.contains("temporal operation Interval") {
        return "an interval can be added and subtracted, not multiplied or divided; days are added \
                to a date as a number: day + 7 * n"
            .to_owned();
    }
    if text.to_lowercase().starts_with("dot access not supported") {
        return "a field of an expression is written (…)['r'], not (…).r".to_owned();
    }
    match text
        .strip_prefix("assertion failed: ")
        .and_then(|rest| rest.split_once("): "))
    {
        Some((_, said)) => said.trim_end_matches('.').to_owned(),
        None => text.to_owned(),
    }
}

/// Some messages end in a line of their own: `Did you mean 'x'?`.
fn split_hint(message: &str) -> (&str, Option<String>) {
    match message.split_once("\nDid you mean ") {
        Some((message, rest)) => (message, Some(format!("did you mean {rest}"))),
        None => (message, None),
    }
}

/// Parser messages end in ` at Line: 3, Column: 14`.
fn split_place(text: &str) -> (&str, Option<Span>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        return (text, None);
    };
    let mut numbers = place
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(line), Some(column)) => (message, Some(Span::point(line, column))),
        _ => (text, None),
    }
}

/// Messages start small, as they follow `error: `; words in capitals stay.
fn decapitalize(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// "Did you mean" for a name among those that exist, when one is near.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            *distance <= 1 + wanted.chars().count().min(candidate.chars().count()) / 4
        })
        .min()
        .map(|(_, candidate)| format!("did you mean '{candidate}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parser_places_are_read_and_prefixes_fall() {
        let error = from_text("SQL error: Expected: x at Line: 3, Column: 14");
        assert_eq!(error.message(), "expected: x");
        assert_eq!(error.0.span, Some(Span::point(3, 14)));
    }

    #[test]
    fn suggestions_are_near_or_absent() {
        let known = ["orders", "customers"];
        assert_eq!(
            suggest("ordrs", known).as_deref(),
            Some("did you mean 'orders'?")
        );
        assert_eq!(suggest("leads", known), None);
    }
}
