//! What functions keep of the rows of many groups, in one store for all of them.
//!
//! A vector or a set a group costs more than it holds when groups are many and small. Here a row
//! is first only written down as a cell beside its group, in buckets of neighbouring groups
//! ([`bucket`]); a bucket that has grown is sorted by group and [settled](Cells::settle). So a row
//! costs a few nanoseconds, memory stays within a constant of what has to be kept, and nothing but
//! whole arrays is allocated.

mod bucket;

use std::collections::VecDeque;
use std::fmt::Debug;

use datafusion_expr::EmitTo;

use bucket::{BITS, Bucket, GROUPS};

/// How rows are kept.
pub(super) trait Cells: Debug + Send + Sync + 'static {
    /// What stands for a row; what does not fit is in the bytes beside.
    type Cell: Copy + Default + Debug + Send + Sync;

    /// Sorts the cells of a group, moves those that are needed to the front and says how many
    /// that are.
    fn settle(cells: &mut [Self::Cell], bytes: &[u8]) -> usize;

    /// The bytes that the cells still need, which are made to refer to them.
    fn gather(_cells: &mut [Self::Cell], bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

/// The cells of many groups.
#[derive(Debug)]
pub(super) struct Buckets<C: Cells> {
    buckets: VecDeque<Bucket<C>>,
    /// The place of the first group in the first bucket: those before have left.
    first: usize,
    groups: usize,
}

impl<C: Cells> Default for Buckets<C> {
    fn default() -> Self {
        Self {
            buckets: VecDeque::new(),
            first: 0,
            groups: 0,
        }
    }
}

impl<C: Cells> Buckets<C> {
    /// Makes room for so many groups.
    pub(super) fn resize(&mut self, groups: usize) {
        self.groups = groups;
        let buckets = (self.first + groups).div_ceil(GROUPS);
        self.buckets.resize_with(buckets, Bucket::default);
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Writes down a row of a group.
    pub(super) fn push(&mut self, group: usize, cell: impl FnOnce(&mut Vec<u8>) -> C::Cell) {
        let at = self.first + group;
        self.buckets[at >> BITS].push((at % GROUPS) as u16, cell);
    }

    /// Takes out the first groups, or all.
    pub(super) fn take(&mut self, emit: EmitTo) -> Self {
        let EmitTo::First(groups) = emit else {
            return std::mem::take(self);
        };
        let mut taken = Self {
            first: self.first,
            groups: groups.min(self.groups),
            ..Self::default()
        };
        let end = self.first + taken.groups;
        taken.buckets.extend(self.buckets.drain(..end >> BITS));
        self.groups -= taken.groups;
        self.first = end % GROUPS;
        if self.first > 0 {
            taken.buckets.push_back(self.buckets[0].split(self.first));
        }
        taken
    }

    /// Settles all; how many cells are left.
    pub(super) fn settle(&mut self) -> usize {
        self.buckets.iter_mut().for_each(Bucket::settle);
        self.buckets.iter().map(Bucket::len).sum()
    }

    /// The settled cells of each group, of those without any too.
    pub(super) fn each_group(&mut self, mut see: impl FnMut(&[C::Cell], &[u8])) {
        for (at, bucket) in self.buckets.iter_mut().enumerate() {
            bucket.settle();
            let start = if at == 0 { self.first } else { 0 };
            let stop = GROUPS.min(self.first + self.groups - at * GROUPS);
            bucket.each_group(start..stop, &mut see);
        }
    }

    /// As [`Self::each_group`], for the last time: what was seen is let go.
    pub(super) fn into_groups(mut self, mut see: impl FnMut(&[C::Cell], &[u8])) {
        while let Some(mut bucket) = self.buckets.pop_front() {
            bucket.settle();
            let stop = GROUPS.min(self.first + self.groups);
            bucket.each_group(self.first..stop, &mut see);
            self.groups -= stop - self.first;
            self.first = 0;
        }
    }

    /// The settled cells of one bucket after the other, with the group of each; and then these
    /// are let go.
    pub(super) fn into_cells<E>(
        self,
        mut see: impl FnMut(&[usize], &[C::Cell], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut groups = vec![];
        for (at, mut bucket) in self.buckets.into_iter().enumerate() {
            bucket.settle();
            let place = |group: &u16| at * GROUPS + *group as usize - self.first;
            groups.clear();
            groups.extend(bucket.groups().iter().map(place));
            let (cells, bytes) = bucket.cells();
            see(&groups, cells, bytes)?;
        }
        Ok(())
    }

    /// Bytes on the heap, with what sorting the largest bucket needs.
    pub(super) fn size(&self) -> usize {
        let held: usize = self.buckets.iter().map(Bucket::heap).sum();
        let scratch = self.buckets.iter().map(Bucket::scratch).max();
        held + scratch.unwrap_or(0) + self.buckets.capacity() * size_of::<Bucket<C>>()
    }
}
