//! The memory that batches keep alive, each allocation counted once however many slices of it
//! are held: an aggregation hands out slices of one large batch.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayData};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

/// A reservation for batches.
#[derive(Debug)]
pub(super) struct Held {
    reservation: MemoryReservation,
    /// By address: its bytes, and how many held arrays use it.
    allocations: HashMap<usize, (usize, usize)>,
}

impl Held {
    pub(super) fn new(reservation: MemoryReservation) -> Self {
        Self {
            reservation,
            allocations: HashMap::new(),
        }
    }

    /// Reserves what holding a batch takes beyond what is held already.
    ///
    /// # Errors
    /// If the pool has no room; nothing has changed then.
    pub(super) fn try_add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut more = 0;
        for_each_allocation(batch, |address, bytes| {
            let (_, uses) = self.allocations.entry(address).or_insert_with(|| {
                more += bytes;
                (bytes, 0)
            });
            *uses += 1;
        });
        let room = self.reservation.try_grow(more);
        if room.is_err() {
            self.forget(batch);
        }
        room
    }

    /// Gives back what only this batch, held until now, kept alive.
    pub(super) fn remove(&mut self, batch: &RecordBatch) {
        let less = self.forget(batch);
        self.reservation.shrink(less);
    }

    fn forget(&mut self, batch: &RecordBatch) -> usize {
        let mut less = 0;
        for_each_allocation(batch, |address, _| {
            let Some((bytes, uses)) = self.allocations.get_mut(&address) else {
                return;
            };
            *uses -= 1;
            if *uses == 0 {
                less += *bytes;
                self.allocations.remove(&address);
            }
        });
        less
    }
}

fn for_each_allocation(batch: &RecordBatch, mut see: impl FnMut(usize, usize)) {
    for column in batch.columns() {
        of_array(&column.to_data(), &mut see);
    }
}

fn of_array(data: &ArrayData, see: &mut impl FnMut(usize, usize)) {
    let nulls = data.nulls().map(|nulls| nulls.buffer());
    for buffer in data.buffers().iter().chain(nulls) {
        see(buffer.data_ptr().as_ptr() as usize, buffer.capacity());
    }
    for child in data.child_data() {
        of_array(child, see);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryConsumer, MemoryPool};

    use super::*;

    #[test]
    fn slices_of_one_batch_are_counted_once() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
        let mut held = Held::new(MemoryConsumer::new("test").register(&pool));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let (left, right) = (batch.slice(0, 10), batch.slice(10, 990));
        held.try_add(&left).unwrap();
        let once = pool.reserved();
        assert!((8000..8100).contains(&once), "{once}");
        held.try_add(&right).unwrap();
        assert_eq!(pool.reserved(), once);
        let others: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let others = RecordBatch::try_from_iter([("n", others)]).unwrap();
        held.try_add(&others).unwrap_err();
        held.remove(&left);
        assert_eq!(pool.reserved(), once);
        held.remove(&right);
        assert_eq!(pool.reserved(), 0);
        held.try_add(&others).unwrap();
    }
}
