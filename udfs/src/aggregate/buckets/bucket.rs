//! The cells of neighbouring groups, as they come, and then in order.

use std::ops::Range;

use super::Cells;

/// Groups of one bucket, as a power of two: their cells fit into the second-level cache while
/// they are sorted, and a million groups are no more than a few hundred places to write to.
pub(super) const BITS: u32 = 12;
pub(super) const GROUPS: usize = 1 << BITS;

/// Cells up to which nothing is sorted before it is asked for.
const UNSORTED: usize = 1 << 16;

/// How much a bucket may grow before it is sorted again, as a multiple of what was kept:
/// sorting costs a third more than once at the end, memory is bounded.
const GROWTH: usize = 4;

/// Cells with their groups, counted from the bucket's first.
#[derive(Debug)]
pub(super) struct Bucket<C: Cells> {
    groups: Vec<u16>,
    cells: Vec<C::Cell>,
    bytes: Vec<u8>,
    /// So many are sorted by group, and settled.
    settled: usize,
    /// So many are sorted again.
    limit: usize,
}

impl<C: Cells> Default for Bucket<C> {
    fn default() -> Self {
        Self {
            groups: vec![],
            cells: vec![],
            bytes: vec![],
            settled: 0,
            limit: UNSORTED,
        }
    }
}

impl<C: Cells> Bucket<C> {
    pub(super) fn push(&mut self, group: u16, cell: impl FnOnce(&mut Vec<u8>) -> C::Cell) {
        if self.cells.len() == self.cells.capacity() {
            self.make_room();
        }
        self.groups.push(group);
        self.cells.push(cell(&mut self.bytes));
    }

    #[cold]
    fn make_room(&mut self) {
        if self.cells.len() >= self.limit {
            self.settle();
            self.limit = UNSORTED.max(self.settled * GROWTH);
        }
        let more = self.cells.len().max(16).min(self.limit - self.cells.len());
        self.groups.reserve_exact(more);
        self.cells.reserve_exact(more);
    }

    /// Sorts by group and leaves what each group needs.
    pub(super) fn settle(&mut self) {
        if self.settled == self.cells.len() {
            return;
        }
        let ends = self.scatter();
        let mut from = 0;
        let mut kept = 0;
        for (group, to) in ends.into_iter().enumerate() {
            let needed = C::settle(&mut self.cells[from..to], &self.bytes);
            self.cells.copy_within(from..from + needed, kept);
            self.groups[kept..kept + needed].fill(group as u16);
            kept += needed;
            from = to;
        }
        self.truncate(kept);
        self.bytes = C::gather(&mut self.cells, std::mem::take(&mut self.bytes));
        self.settled = kept;
    }

    /// Puts the cells into the order of their groups; where each group ends.
    fn scatter(&mut self) -> Vec<usize> {
        let last = self.groups.iter().max();
        let mut ends = vec![0; last.map_or(0, |last| *last as usize + 1)];
        for group in &self.groups {
            ends[*group as usize] += 1;
        }
        let mut from = 0;
        for end in &mut ends {
            from += std::mem::replace(end, from);
        }
        let mut sorted = vec![C::Cell::default(); self.cells.len()];
        for (group, cell) in self.groups.iter().zip(&self.cells) {
            let place = &mut ends[*group as usize];
            sorted[*place] = *cell;
            *place += 1;
        }
        self.cells = sorted;
        ends
    }

    fn truncate(&mut self, kept: usize) {
        self.groups.truncate(kept);
        self.groups.shrink_to_fit();
        self.cells.truncate(kept);
        self.cells.shrink_to_fit();
    }

    /// Takes out the groups before one.
    pub(super) fn split(&mut self, at: usize) -> Self {
        let all = std::mem::take(self);
        let mut before = Self::default();
        for (group, cell) in all.groups.into_iter().zip(all.cells) {
            let part = match (group as usize) < at {
                true => &mut before,
                false => &mut *self,
            };
            part.groups.push(group);
            part.cells.push(cell);
        }
        before.bytes = C::gather(&mut before.cells, all.bytes.clone());
        self.bytes = C::gather(&mut self.cells, all.bytes);
        before
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cells of each of these groups, once settled.
    pub(super) fn each_group(&self, groups: Range<usize>, see: &mut impl FnMut(&[C::Cell], &[u8])) {
        let mut from = 0;
        for group in groups {
            let own = self.groups[from..].iter();
            let count = own.take_while(|it| **it as usize == group).count();
            see(&self.cells[from..from + count], &self.bytes);
            from += count;
        }
    }

    /// The groups of the cells, once settled.
    pub(super) fn groups(&self) -> &[u16] {
        &self.groups
    }

    pub(super) fn cells(&self) -> (&[C::Cell], &[u8]) {
        (&self.cells, &self.bytes)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.cells.capacity() * (size_of::<C::Cell>() + size_of::<u16>()) + self.bytes.capacity()
    }

    /// Bytes that settling needs beside.
    pub(super) fn scratch(&self) -> usize {
        match self.settled == self.cells.len() {
            true => 0,
            false => self.cells.len() * size_of::<C::Cell>() + self.bytes.len(),
        }
    }
}
