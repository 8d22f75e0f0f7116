//! The values of neighbouring groups, as they come, and then one of each.

use super::cells::Values;

/// Groups of one bucket, as a power of two: their values fit into the second-level cache while
/// they are sorted, and a million groups are no more than a few hundred places to write to.
pub(super) const BITS: u32 = 12;
pub(super) const GROUPS: usize = 1 << BITS;

/// Values up to which nothing is sorted before it is asked for.
const UNSORTED: usize = 1 << 16;

/// How much a bucket may grow before it is sorted again, as a multiple of what was distinct:
/// sorting costs a third more than once at the end, memory is bounded.
const GROWTH: usize = 4;

/// Values with their groups, counted from the bucket's first.
#[derive(Debug)]
pub(super) struct Bucket<V: Values> {
    groups: Vec<u16>,
    cells: Vec<V::Cell>,
    bytes: Vec<u8>,
    /// So many are sorted by group, and distinct.
    settled: usize,
    /// So many are sorted again.
    limit: usize,
}

impl<V: Values> Default for Bucket<V> {
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

impl<V: Values> Bucket<V> {
    pub(super) fn push(&mut self, group: u16, array: &V::Array, row: usize) {
        if self.cells.len() == self.cells.capacity() {
            self.make_room();
        }
        self.groups.push(group);
        self.cells.push(V::cell(array, row, &mut self.bytes));
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

    /// Sorts by group and leaves one of each value.
    pub(super) fn settle(&mut self) {
        if self.settled == self.cells.len() {
            return;
        }
        let ends = self.scatter();
        let mut from = 0;
        let mut kept = 0;
        for (group, to) in ends.into_iter().enumerate() {
            let distinct = V::distinct(&mut self.cells[from..to], &self.bytes);
            self.cells.copy_within(from..from + distinct, kept);
            self.groups[kept..kept + distinct].fill(group as u16);
            kept += distinct;
            from = to;
        }
        self.truncate(kept);
        self.bytes = V::gather(&mut self.cells, std::mem::take(&mut self.bytes));
        self.settled = kept;
    }

    /// Puts the cells into the order of their groups; where each group ends.
    fn scatter(&mut self) -> Vec<usize> {
        let mut ends = vec![0; GROUPS];
        for group in &self.groups {
            ends[*group as usize] += 1;
        }
        let mut from = 0;
        for end in &mut ends {
            from += std::mem::replace(end, from);
        }
        let mut sorted = vec![V::Cell::default(); self.cells.len()];
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
        before.bytes = V::gather(&mut before.cells, all.bytes.clone());
        self.bytes = V::gather(&mut self.cells, all.bytes);
        before
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The groups of the values, once settled.
    pub(super) fn groups(&self) -> &[u16] {
        &self.groups
    }

    pub(super) fn cells(&self) -> (&[V::Cell], &[u8]) {
        (&self.cells, &self.bytes)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.cells.capacity() * (size_of::<V::Cell>() + size_of::<u16>()) + self.bytes.capacity()
    }

    /// Bytes that settling needs beside.
    pub(super) fn scratch(&self) -> usize {
        match self.settled == self.cells.len() {
            true => 0,
            false => self.cells.len() * size_of::<V::Cell>() + self.bytes.len(),
        }
    }
}
