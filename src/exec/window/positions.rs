//! Where rows of a sorted stream stand: in partitions of the window and in groups of peers, whose
//! lengths are known only when they end.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, UInt64Array};
use datafusion::arrow::compute::{SortColumn, concat};
use datafusion::common::Result;
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::physical_expr::PhysicalSortExpr;

use super::function::Place;

/// The lengths of runs of rows that are equal in some columns.
struct Runs {
    by: Vec<PhysicalSortExpr>,
    /// The last row seen, in these columns.
    last: Option<Vec<SortColumn>>,
    /// From the run of the next row given out on; the last one may grow.
    lengths: VecDeque<u64>,
    /// Rows of the first of them that were given out.
    given: u64,
}

impl Runs {
    fn new(by: Vec<PhysicalSortExpr>) -> Self {
        Self {
            by,
            last: None,
            lengths: VecDeque::new(),
            given: 0,
        }
    }

    /// Takes in rows; says whether the run that was the last has ended.
    fn add(&mut self, batch: &RecordBatch) -> Result<bool> {
        let rows = batch.num_rows();
        let columns = self.by.iter().map(|by| by.evaluate_to_sort_column(batch));
        let columns: Vec<SortColumn> = columns.collect::<Result<_>>()?;
        let goes_on = match &self.last {
            Some(last) => are_equal(last, &columns)?,
            None => false,
        };
        let mut runs = evaluate_partition_ranges(rows, &columns)?
            .into_iter()
            .map(|run| (run.end - run.start) as u64);
        if goes_on && let (Some(last), Some(more)) = (self.lengths.back_mut(), runs.next()) {
            *last += more;
        }
        let before = self.lengths.len();
        self.lengths.extend(runs);
        let ended = before > 0 && self.lengths.len() > before;
        self.last = Some(sliced(&columns, rows - 1));
        Ok(ended)
    }

    /// How many of the next rows belong to one run, of at most `rows`.
    fn stretch(&self, rows: u64) -> u64 {
        rows.min(self.length() - self.given)
    }

    fn length(&self) -> u64 {
        self.lengths.front().copied().unwrap_or_default()
    }

    fn advance(&mut self, rows: u64) {
        self.given += rows;
        if self.given == self.length() {
            self.lengths.pop_front();
            self.given = 0;
        }
    }
}

fn sliced(columns: &[SortColumn], row: usize) -> Vec<SortColumn> {
    let one = |column: &SortColumn| SortColumn {
        values: column.values.slice(row, 1),
        options: column.options,
    };
    columns.iter().map(one).collect()
}

/// Whether a row is equal to the first of `columns`.
fn are_equal(row: &[SortColumn], columns: &[SortColumn]) -> Result<bool> {
    let both = row.iter().zip(sliced(columns, 0)).map(|(row, first)| {
        Ok(SortColumn {
            values: concat(&[&row.values, &first.values])?,
            options: first.options,
        })
    });
    let both: Vec<SortColumn> = both.collect::<Result<_>>()?;
    Ok(evaluate_partition_ranges(2, &both)?.len() == 1)
}

/// The partitions and the peers of a stream of rows.
pub(super) struct Positions {
    partitions: Runs,
    /// Equal rows, where a function looks at them.
    peers: Option<Runs>,
    places: Vec<Place>,
}

impl Positions {
    /// Of rows sorted by `keys` and within them by `order`.
    pub(super) fn new(
        keys: Vec<PhysicalSortExpr>,
        order: &[PhysicalSortExpr],
        places: Vec<Place>,
    ) -> Self {
        let all = keys.iter().chain(order).cloned().collect();
        let sees_peers = places.iter().any(|place| place.sees_peers());
        Self {
            peers: sees_peers.then(|| Runs::new(all)),
            partitions: Runs::new(keys),
            places,
        }
    }

    /// Takes in the next rows; says whether the partition that was the last has ended.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<bool> {
        if let Some(peers) = &mut self.peers {
            peers.add(batch)?;
        }
        self.partitions.add(batch)
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        let runs = [Some(&self.partitions), self.peers.as_ref()];
        let lengths = runs.into_iter().flatten();
        lengths.map(|runs| runs.lengths.capacity()).sum::<usize>() * size_of::<u64>()
    }

    /// A column for each function, of the next rows; their partitions must have ended.
    pub(super) fn columns(&mut self, rows: usize) -> Vec<ArrayRef> {
        let mut columns: Vec<Column> = self.places.iter().map(|p| Column::new(*p, rows)).collect();
        let mut left = rows as u64;
        while left > 0 {
            let mut stretch = self.partitions.stretch(left);
            let first = self.partitions.given;
            let mut peers = 0..0;
            if let Some(runs) = &self.peers {
                stretch = stretch.min(runs.stretch(left));
                let before = first - runs.given;
                peers = before..before + runs.length();
            }
            for column in &mut columns {
                let rows = first..first + stretch;
                column.extend(rows, &peers, self.partitions.length());
            }
            self.partitions.advance(stretch);
            if let Some(runs) = &mut self.peers {
                runs.advance(stretch);
            }
            left -= stretch;
        }
        columns.into_iter().map(Column::finish).collect()
    }
}

enum Column {
    Buckets { buckets: u64, values: Vec<u64> },
    Before(Vec<f64>),
    UpTo(Vec<f64>),
}

impl Column {
    fn new(place: Place, rows: usize) -> Self {
        match place {
            Place::Ntile { buckets } => Self::Buckets {
                buckets,
                values: Vec::with_capacity(rows),
            },
            Place::PercentRank => Self::Before(Vec::with_capacity(rows)),
            Place::CumeDist => Self::UpTo(Vec::with_capacity(rows)),
        }
    }

    /// For rows of a partition of `total`, all of them peers in `peers` where that matters.
    fn extend(&mut self, rows: std::ops::Range<u64>, peers: &std::ops::Range<u64>, total: u64) {
        let count = (rows.end - rows.start) as usize;
        match self {
            Self::Buckets { buckets, values } => {
                values.extend(rows.map(|row| bucket(row, total, *buckets)));
            }
            Self::Before(values) => {
                let share = peers.start as f64 / (total as f64 - 1.0).max(1.0);
                values.extend(std::iter::repeat_n(share, count));
            }
            Self::UpTo(values) => {
                let share = peers.end as f64 / total as f64;
                values.extend(std::iter::repeat_n(share, count));
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Buckets { values, .. } => Arc::new(UInt64Array::from(values)),
            Self::Before(values) | Self::UpTo(values) => Arc::new(Float64Array::from(values)),
        }
    }
}

/// The bucket, from 1, of a row among `total`: sizes differ by one at most, larger ones first.
fn bucket(row: u64, total: u64, buckets: u64) -> u64 {
    let (size, larger) = (total / buckets, total % buckets);
    let in_larger = larger * (size + 1);
    if row < in_larger {
        return row / (size + 1) + 1;
    }
    // Beyond the larger ones only where the others are not empty.
    larger + (row - in_larger) / size.max(1) + 1
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn buckets_as_equal_as_can_be() {
        let all = |total, buckets| -> Vec<u64> {
            (0..total).map(|row| bucket(row, total, buckets)).collect()
        };
        assert_eq!(all(10, 4), [1, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
        assert_eq!(all(3, 5), [1, 2, 3]);
        assert_eq!(all(4, 2), [1, 1, 2, 2]);
        assert_eq!(all(2, u64::MAX), [1, 2]);
    }
}
