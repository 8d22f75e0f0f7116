//! Who is in a segment at a moment: by the snapshot of the date where there is one,
//! else by the definition evaluated at it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::TableSource;

use crate::catalog::binder::{Binder, Evaluation};
use crate::catalog::inputs::World;
use crate::catalog::members_function::from_snapshot;
use crate::catalog::{Definition, SharedTables, members, split_label};
use crate::error::Result;
use crate::session::Moment;
use crate::statement::Kind;
use crate::store::SnapshotRecord;

/// The members of a segment, segmentation or label.
pub(in crate::catalog) struct MembersAt {
    pub(in crate::catalog) source: Arc<dyn TableSource>,
    /// The key column.
    pub(in crate::catalog) key: String,
    /// The label column, of a whole segmentation.
    pub(in crate::catalog) label: Option<String>,
}

impl Binder<'_> {
    /// The rows of a definition at a moment, and the record of the snapshot they
    /// come from.
    pub(in crate::catalog) fn rows_at(
        &self,
        definition: &Definition,
        moment: Moment,
    ) -> Result<(Arc<dyn TableSource>, Option<&SnapshotRecord>)> {
        if let Some(record) = self.snapshot_at(definition, &moment) {
            return Ok((from_snapshot(self, record)?, Some(record)));
        }
        let rows = match moment == self.evaluation.moment {
            true => self.source_of(definition)?,
            false => self.at(moment, |there| there.source_of(definition))?,
        };
        Ok((rows, None))
    }

    fn snapshot_at(&self, definition: &Definition, moment: &Moment) -> Option<&SnapshotRecord> {
        let date = (definition.name.clone(), moment.date());
        let record = self.inputs.snapshots.get(&date);
        record.filter(|it| it.instant.timestamp_nanos_opt() == Some(moment.nanos()))
    }

    /// Plans something as of another moment.
    pub(in crate::catalog) fn at<T>(
        &self,
        moment: Moment,
        plan: impl FnOnce(&Binder<'_>) -> Result<T>,
    ) -> Result<T> {
        let evaluation = Evaluation {
            moment,
            variables: self.evaluation.variables.clone(),
        };
        let world = World {
            evaluation: &evaluation,
            ..self.world
        };
        plan(&Binder::new(world, self.inputs, &SharedTables::new())?)
    }

    /// Who is in a segment, segmentation or label at a moment.
    pub(in crate::catalog) fn members_at(&self, name: &str, moment: Moment) -> Result<MembersAt> {
        let kinds = [Kind::Segment, Kind::Segmentation];
        let definition = self.world.catalog.get(name, &kinds)?;
        let (source, record) = self.rows_at(definition, moment)?;
        let all = match record {
            Some(record) => MembersAt::of_snapshot(source, record),
            None => {
                let schema = source.schema();
                let key = self.key(definition, &schema)?;
                let label = self.label_column(definition, &schema, &key)?;
                MembersAt { source, key, label }
            }
        };
        match split_label(name).1 {
            None => Ok(all),
            Some(label) => all.labelled(definition, label),
        }
    }

    /// The members in a snapshot of a segment, segmentation or label.
    pub(in crate::catalog) fn members_in(
        &self,
        name: &str,
        definition: &Definition,
        record: &SnapshotRecord,
    ) -> Result<MembersAt> {
        let all = MembersAt::of_snapshot(from_snapshot(self, record)?, record);
        match split_label(name).1 {
            None => Ok(all),
            Some(label) => all.labelled(definition, label),
        }
    }
}

impl MembersAt {
    /// The type of the key.
    pub(super) fn key_type(&self) -> Result<DataType> {
        let schema = self.source.schema();
        Ok(schema.field_with_name(&self.key)?.data_type().clone())
    }

    fn of_snapshot(source: Arc<dyn TableSource>, record: &SnapshotRecord) -> Self {
        Self {
            source,
            key: record.key.clone(),
            label: record.label.clone(),
        }
    }

    /// Those of one label, who are members of a segment then.
    fn labelled(self, definition: &Definition, label: &str) -> Result<Self> {
        let column = self.label.as_deref();
        Ok(Self {
            source: members::label(definition, self.source, column, label)?,
            key: self.key,
            label: None,
        })
    }
}
