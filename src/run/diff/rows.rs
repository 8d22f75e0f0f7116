//! The rows of a comparison, checked as they pass: a key stands there once on each
//! side.

use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::compute::{and, concat};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result as PlanResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::ident;
use futures::{Stream, StreamExt};

use super::Difference;
use crate::error::{Error, Exit, Result};

impl Difference {
    /// A row a key in the order of the key: the key, `change`, `from_label` and
    /// `to_label`.
    pub async fn rows(&self) -> Result<SendableRecordBatchStream> {
        let fields = self.diff.plan.schema().fields().iter();
        let own = fields.take(self.diff.columns);
        let own: Vec<_> = own.map(|field| ident(field.name().as_str())).collect();
        let plan = LogicalPlanBuilder::from(self.diff.plan.clone());
        let rows = self.engine.stream(&plan.project(own)?.build()?).await?;
        Ok(Box::pin(self.checked(rows)))
    }

    /// The same, and for each column that is compared whether it differs.
    pub(super) async fn all_columns(&self) -> Result<DiffRows> {
        Ok(self.checked(self.engine.stream(&self.diff.plan).await?))
    }

    fn checked(&self, rows: SendableRecordBatchStream) -> DiffRows {
        DiffRows {
            rows,
            // Of several labels each is a row of its own.
            unique: match self.diff.several {
                true => vec![0, 2, 3],
                false => vec![0],
            },
            last: None,
            name: self.name.clone(),
        }
    }
}

/// Rows that end with an error where a key is repeated or missing.
pub(super) struct DiffRows {
    rows: SendableRecordBatchStream,
    /// The columns that tell rows apart.
    unique: Vec<usize>,
    /// These columns of the last row so far.
    last: Option<Vec<ArrayRef>>,
    name: String,
}

impl DiffRows {
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(end) = batch.num_rows().checked_sub(1) else {
            return Ok(());
        };
        if batch.column(0).null_count() > 0 {
            return Err(Error::new(format!("{} has a NULL key", self.name))
                .exit(Exit::CheckFailed)
                .hint("leave rows without a key out with WHERE … IS NOT NULL"));
        }
        if let Some(key) = self.repeated(batch)? {
            return Err(Error::new(format!(
                "{} has more than one row for some keys, {key} among them",
                self.name
            ))
            .exit(Exit::CheckFailed)
            .hint("there must be one row per key: GROUP BY the key or SELECT DISTINCT"));
        }
        let last = self.unique.iter().map(|it| batch.column(*it).slice(end, 1));
        self.last = Some(last.collect());
        Ok(())
    }

    /// Rows come in the order of the key, so equal keys are neighbours.
    fn repeated(&self, batch: &RecordBatch) -> Result<Option<String>> {
        let mut equal: Option<BooleanArray> = None;
        for place in 0..self.unique.len() {
            let values = self.with_last(place, batch)?;
            let pairs = values.len() - 1;
            let same = cmp::not_distinct(&values.slice(0, pairs), &values.slice(1, pairs))?;
            equal = Some(match equal {
                Some(before) => and(&before, &same)?,
                None => same,
            });
        }
        let first = equal.and_then(|equal| (0..equal.len()).find(|row| equal.value(*row)));
        let Some(row) = first else { return Ok(None) };
        let keys = self.with_last(0, batch)?;
        let format = FormatOptions::default();
        let shown = ArrayFormatter::try_new(keys.as_ref(), &format)?;
        Ok(Some(shown.value(row).to_string()))
    }

    /// A unique column with the last value before it.
    fn with_last(&self, place: usize, batch: &RecordBatch) -> Result<ArrayRef> {
        let values = batch.column(self.unique[place]);
        Ok(match &self.last {
            Some(last) => concat(&[last[place].as_ref(), values.as_ref()])?,
            None => ArrayRef::clone(values),
        })
    }
}

impl Stream for DiffRows {
    type Item = PlanResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.rows.poll_next_unpin(context));
        Poll::Ready(next.map(|batch| {
            let batch = batch?;
            self.check(&batch)?;
            Ok(batch)
        }))
    }
}

impl RecordBatchStream for DiffRows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}
