//! What there is in the library: its families, and what it asks of a project's views.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;

use super::{Cell, batch, text, texts};
use crate::catalog::library::libraries;
use crate::error::Result;
use crate::sql_type::sql_type_name;
use crate::statement::Asked;

/// `SHOW LIBRARIES`: each with what it is for, its segments, the views it reads and its variables.
pub fn library_listing() -> Result<RecordBatch> {
    let mut rows: Vec<[String; 5]> = vec![];
    for library in libraries()? {
        let catalog = library.catalog()?;
        let reads: Vec<&str> = library.reads(&catalog).into_iter().collect();
        let parameters = library.parameters.iter().map(|it| it.name.as_str());
        let segments = library.own(&catalog).filter(|it| it.kind().has_members());
        let segments: Vec<&str> = segments.map(|it| it.name.as_str()).collect();
        rows.push([
            library.name.clone(),
            library.description.clone(),
            segments.join(", "),
            reads.join(", "),
            parameters.collect::<Vec<_>>().join(", "),
        ]);
    }
    texts(
        ["name", "description", "segments", "reads", "variables"],
        &rows,
    )
}

/// `DESCRIBE base.orders`: the columns libraries may read, with the type that each has
/// in this project, where it has one.
pub fn contract_listing(contract: &[Asked], found: Option<&Schema>) -> Result<RecordBatch> {
    let about = |value: &dyn Fn(&Asked) -> Cell| text(contract.iter().map(value));
    let found = |asked: &Asked| {
        let field = found?.field_with_name(&asked.name).ok()?;
        Some(sql_type_name(field.data_type()))
    };
    batch(vec![
        ("column_name", about(&|it| Some(it.name.clone()))),
        ("asked", about(&|it| Some(it.values.word().to_owned()))),
        (
            "where_missing",
            about(&|it| it.default.as_ref().map(ToString::to_string)),
        ),
        ("data_type", about(&found)),
        ("meaning", about(&|it| Some(it.meaning.clone()))),
    ])
}
