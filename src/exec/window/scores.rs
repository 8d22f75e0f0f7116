//! The measures of `rfm_score`, kept beside the rows, and their exact cut points: by counting
//! passes over all parts at once, so that nothing is sorted and nothing more is held.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::SpillMetrics;
use futures::TryStreamExt;
use segql_udfs::scoring::{Counts, MEASURES, Scoring, Selection, entering};

use super::buffer::Buffer;
use super::function::{Function, evaluate};

/// Up to so many rows are selected from in memory: a counting pass has a price of its own.
const FEW_ROWS: usize = 1 << 16;

/// The cuts of the measures; none where no row has them.
pub(super) type AllCuts = [Option<Vec<f64>>; MEASURES];

/// The measures of one call, a batch for each batch of rows.
pub(super) struct Measured {
    pub(super) scoring: Scoring,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) schema: SchemaRef,
    pub(super) batches: Buffer,
}

impl Measured {
    /// For a call of `rfm_score`; with `more` columns beside the measures.
    pub(super) fn of(
        function: &Function,
        more: &[Field],
        context: &TaskContext,
        metrics: &SpillMetrics,
    ) -> Option<Self> {
        let Function::Scores { scoring, arguments } = function else {
            return None;
        };
        let measures = ["recency", "frequency", "monetary"];
        let measures = measures.map(|name| Field::new(name, DataType::Float64, true));
        let schema = Arc::new(Schema::new([&measures, more].concat()));
        Some(Self {
            scoring: *scoring,
            arguments: arguments.clone(),
            batches: Buffer::new(Arc::clone(&schema), &context.runtime_env(), metrics),
            schema,
        })
    }

    pub(super) fn measure(&self, batch: &RecordBatch) -> Result<[ArrayRef; MEASURES]> {
        self.scoring.measures(&evaluate(&self.arguments, batch)?)
    }

    /// One pass over the measures of this part.
    pub(super) async fn count(
        &mut self,
        selections: &[Selection; MEASURES],
        counts: &mut PassCounts,
    ) -> Result<()> {
        let mut batches = self.batches.read()?;
        while let Some(batch) = batches.try_next().await? {
            let measures = batch
                .columns()
                .iter()
                .zip(selections)
                .zip(counts.iter_mut());
            for ((column, selection), counts) in measures {
                if !selection.is_done() {
                    selection.count(entering(column).map(|(_, value)| value), counts);
                }
            }
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    /// All values that enter the cuts, by measure.
    pub(super) async fn entering(&mut self, into: &mut [Vec<f64>; MEASURES]) -> Result<()> {
        let mut batches = self.batches.read()?;
        while let Some(batch) = batches.try_next().await? {
            for (column, values) in batch.columns().iter().zip(into.iter_mut()) {
                values.extend(entering(column).map(|(_, value)| value));
            }
        }
        Ok(())
    }
}

/// What one pass counted.
pub(super) type PassCounts = [Counts; MEASURES];

/// Counts for the next pass.
pub(super) fn empty_counts(selections: &[Selection; MEASURES]) -> PassCounts {
    selections.each_ref().map(Selection::counts)
}

/// Bytes that the counts of the next pass take.
pub(super) fn counts_size(selections: &[Selection; MEASURES]) -> usize {
    selections.iter().map(Selection::counts_size).sum()
}

/// Whether selecting in memory is cheaper than counting.
pub(super) fn are_few(rows: usize) -> bool {
    rows <= FEW_ROWS
}

/// The cuts of values in memory.
pub(super) fn cuts_in_memory(scoring: Scoring, mut values: [Vec<f64>; MEASURES]) -> AllCuts {
    values.each_mut().map(|values| scoring.cuts(values))
}

/// What is known after a pass.
pub(super) fn narrowed(
    selections: [Selection; MEASURES],
    parts: Vec<PassCounts>,
) -> [Selection; MEASURES] {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return selections;
    };
    for part in parts {
        for (whole, part) in whole.iter_mut().zip(&part) {
            whole.add(part);
        }
    }
    let mut at = 0;
    selections.map(|selection| {
        at += 1;
        if selection.is_done() {
            return selection;
        }
        selection.narrowed(&whole[at - 1])
    })
}
