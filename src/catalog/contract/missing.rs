//! What a project lacks for a library: which view or column, and what to write.

use std::sync::Arc;

use datafusion::logical_expr::TableSource;

use super::{Fit, field, fits, view_of};
use crate::catalog::binder::Binder;
use crate::catalog::{Definition, Graph};
use crate::error::{Error, Result, suggest};
use crate::statement::{Asked, Body, Kind};

/// The project's view for a contract.
pub(super) fn view(
    binder: &Binder<'_>,
    definition: &Definition,
    contract: &[Asked],
) -> Result<Arc<dyn TableSource>> {
    let name = view_of(&definition.name);
    let catalog = binder.world.catalog;
    if binder.has_view(name) {
        return binder.relation(name);
    }
    let needed = contract.iter().filter(|asked| asked.default.is_none());
    let columns: Vec<String> = needed.map(|it| format!("… AS {}", it.name)).collect();
    // Who is in a segment is not what a library starts from.
    let is_input = |name: &str| {
        let found = catalog.find(name);
        !name.contains('.') && found.is_none_or(|it| !it.kind().has_members())
    };
    let mut known = binder.inputs.known_names(catalog, binder.world.session);
    known.retain(|name| is_input(name));
    let there = (!known.is_empty()).then(|| format!("there are {}", known.join(", ")));
    let about = definition.description.as_deref().unwrap_or_default();
    Err(
        Error::new(format!("libraries read a view '{name}', and there is none"))
            .hint_if(suggest(name, known.iter().map(String::as_str)))
            .hint(format!(
                "CREATE VIEW {name} AS SELECT {} FROM …",
                columns.join(", ")
            ))
            .hint(format!("{name}: {about}"))
            .hint(format!(
                "only columns that are read are needed; INCLUDE LIBRARY base; DESCRIBE {}; says what they mean",
                definition.name
            ))
            .hint_if(there),
    )
}

/// Where a planner's error is that a column is not there which a contract knows: what
/// the project's view lacks.
pub(in crate::catalog) fn missing_column(
    binder: &Binder<'_>,
    definition: &Definition,
    error: &Error,
) -> Option<Error> {
    let catalog = binder.world.catalog;
    let graph = Graph::new(catalog);
    let id = definition.id();
    let direct = graph.builds_on(&id).into_iter();
    let below = direct.chain(graph.below(&id));
    let below = below.map_while(|name| catalog.find(name));
    let reader = format!("{} {}", definition.kind(), definition.name);
    let named = error.message().split("column '").nth(1)?;
    let column = named.split('\'').next()?.rsplit('.').next()?;
    for contract in below {
        if let Body::Contract(asked) = &contract.create.body
            && let Some(asked) = asked.iter().find(|it| it.name == column)
            && let Ok(source) = binder.relation(view_of(&contract.name))
            && field(&source.schema(), column).is_none()
        {
            return Some(lacks(binder, contract, asked, &reader, source.as_ref()));
        }
    }
    None
}

/// The error that a project's view has not such a column.
pub(super) fn lacks(
    binder: &Binder<'_>,
    contract: &Definition,
    asked: &Asked,
    reader: &str,
    source: &dyn TableSource,
) -> Error {
    let (view, column) = (view_of(&contract.name), &asked.name);
    let schema = source.schema();
    let Body::Contract(known) = &contract.create.body else {
        return Error::new("not a contract");
    };
    // A column that the contract has a use for is not the one that is missing.
    let candidates: Vec<&str> = schema
        .fields()
        .iter()
        .filter(|it| !known.iter().any(|asked| asked.name == *it.name()))
        .filter(|it| matches!(fits(asked.values, it.data_type()), Fit::AsItIs))
        .map(|it| it.name().as_str())
        .collect();
    let example = candidates.first().copied().unwrap_or("…");
    let is_source = |it: &Arc<Definition>| it.kind() == Kind::Source;
    let defined = binder.world.catalog.find(view);
    let how = match defined.is_some_and(is_source) {
        true => format!(
            "call the source raw_{view}, and CREATE VIEW {view} AS SELECT *, {example} AS {column} FROM raw_{view}"
        ),
        false => format!("add it to {view}: SELECT …, {example} AS {column}"),
    };
    let others = match candidates.as_slice() {
        [] => format!("{view} has no other {}", asked.values.word()),
        several => format!("it could be {}", several.join(", ")),
    };
    let error = Error::new(format!(
        "{reader} needs a column '{column}' of {view}: {}",
        asked.meaning
    ))
    .hint(how)
    .hint(others);
    at_the_view(binder, view, error)
}

/// The error at the project's own definition, where it is to be mended.
pub(super) fn at_the_view(binder: &Binder<'_>, view: &str, error: Error) -> Error {
    match binder.world.catalog.find(view) {
        Some(found) => error.at(found.create.name.span).within(&found.script),
        None => error,
    }
}
