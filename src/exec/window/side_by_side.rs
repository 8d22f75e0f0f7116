//! The values of groups that came mixed, put side by side: to select from each group apart.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::UInt32Type;
use segql_udfs::scoring::{MEASURES, Scoring, entering};

/// One measure of some groups, the values of each side by side.
pub(super) struct SideBySide<'a> {
    lengths: &'a [usize],
    first: usize,
    values: Vec<f64>,
    /// Where the next value of each group goes.
    next: Vec<usize>,
}

impl<'a> SideBySide<'a> {
    pub(super) fn new(lengths: &'a [usize], first: usize) -> Self {
        let mut end = 0;
        let starts = lengths.iter().map(|length| {
            end += length;
            end - length
        });
        let next = starts.collect();
        Self {
            lengths,
            first,
            values: vec![0.0; end],
            next,
        }
    }

    pub(super) fn take(&mut self, batch: &RecordBatch, measure: usize) {
        let groups = batch.column(MEASURES).as_primitive::<UInt32Type>().values();
        for (row, value) in entering(batch.column(measure)) {
            let at = (groups[row] as usize).checked_sub(self.first);
            if let Some(next) = at.and_then(|at| self.next.get_mut(at)) {
                self.values[*next] = value;
                *next += 1;
            }
        }
    }

    pub(super) fn cuts(mut self, scoring: Scoring) -> Vec<f64> {
        scoring.cuts_of_groups(&mut self.values, self.lengths)
    }
}
