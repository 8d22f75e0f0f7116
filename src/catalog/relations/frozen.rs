//! `segql.frozen`: frozen views, and what is kept of them.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::{batch, text};
use crate::catalog::inputs::World;
use crate::catalog::{Definition, check_unedited};
use crate::error::Result;
use crate::store::FrozenRecord;

/// A row a view: `status` is 'frozen', 'not yet', 'edited' (its definition is not what
/// was frozen) or 'damaged'.
pub(super) async fn frozen(world: World<'_>) -> Result<RecordBatch> {
    let kept = world.catalog.kept_frozen(world.store).await;
    let views: Vec<_> = world.catalog.all().filter(|it| it.is_frozen()).collect();
    let record = |view: &Definition| match kept.get(&view.name) {
        Some(Ok(record)) => Some(record),
        _ => None,
    };
    let (mut statuses, mut files) = (vec![], vec![]);
    for view in &views {
        statuses.push(match kept.get(&view.name) {
            None => "not yet",
            Some(Err(_)) => "damaged",
            Some(Ok(record)) => match check_unedited(view, record, &world.evaluation.variables) {
                Ok(()) if world.store.frozen_file(record).await.is_ok() => "frozen",
                Ok(()) => "damaged",
                Err(_) => "edited",
            },
        });
        let path = record(view).map(|it| world.store.frozen_path(it));
        files.push(path.transpose()?);
    }
    let of = |value: &dyn Fn(&FrozenRecord) -> String| {
        text(views.iter().map(|view| record(view).map(value)))
    };
    let rows = views
        .iter()
        .map(|view| record(view).map(|it| it.rows as i64));
    let at = views
        .iter()
        .map(|view| record(view).map(|it| it.started.timestamp_micros()));
    let as_of = views.iter().map(|view| {
        let written = view.create.frozen.as_ref();
        written.map(|as_of| as_of.text.clone())
    });
    batch(vec![
        ("name", text(views.iter().map(|it| Some(it.name.clone())))),
        ("as_of", text(as_of)),
        (
            "status",
            text(statuses.iter().map(|it| Some((*it).to_owned()))),
        ),
        ("rows", Arc::new(rows.collect::<Int64Array>())),
        ("id", of(&|it| it.id.clone())),
        (
            "frozen_at",
            Arc::new(
                at.collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        ("file", text(files.into_iter())),
        ("frozen_definition", of(&|it| it.text.clone())),
    ])
}
