//! What a process may hold: the pool that operators ask before they take memory, and
//! a watch over what is taken without asking.

mod watch;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::memory_pool::{
    FairSpillPool, GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
    TrackConsumersPool,
};
use sysinfo::System;

use crate::error::holders;

pub use watch::MemoryWatch;
use watch::Report;

/// How many of the largest holders of memory an error names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).expect("five is not zero");

/// Of the machine's memory, in parts of a hundred: a query ends with an error before
/// the machine ends it.
const SHARE_OF_MACHINE: usize = 75;

/// Of a limit, in parts of a hundred: what operators may account for at most. Sorting
/// copies what it has accounted for once more.
const SHARE_OF_OPERATORS: usize = 80;

/// What nobody accounts for, whatever the limit: pages of files, batches that are being
/// filled, and what the allocator has not given back yet.
const NOBODYS: usize = 200 << 20;

/// Of that, in parts of a hundred: when so much is taken, sorts spill. Else they leave
/// nothing to the merge above them, which cannot.
const SHARE_OF_SPILLING: usize = 80;

/// What DataFusion calls rows on their way between threads. They are counted and never
/// refused: an exchange of 55.2 that spills from two sides at once may wait for itself
/// for good, whatever the limit (apache/datafusion#24883, mended after 55.2).
const EXCHANGE: &str = "RepartitionExec[";

/// What DataFusion calls a sort that can spill.
const SORT: &str = "ExternalSorter[";

/// How much memory queries may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemoryBudget {
    /// As much as there is.
    #[default]
    Unlimited,
    /// So many bytes; beyond it they spill or fail.
    Bytes(usize),
    /// Three quarters of the machine's memory, or of its container's.
    Machine,
}

/// What the machine has, or the container that the process runs in.
fn machine_bytes() -> Option<usize> {
    let mut system = System::new();
    system.refresh_memory();
    let own = system.cgroup_limits().map(|limits| limits.total_memory);
    let total = own.unwrap_or(u64::MAX).min(system.total_memory());
    usize::try_from(total).ok().filter(|bytes| *bytes > 0)
}

/// What operators may account for under a limit: at least a third of it.
pub(super) fn share_of_operators(limit: usize) -> usize {
    let share = limit / 100 * SHARE_OF_OPERATORS;
    share.saturating_sub(NOBODYS).max(limit / 3)
}

/// The pool that operators ask, and the watch over it.
///
/// A limit that was asked for is shared fairly: a greedy pool would let the first
/// operator starve the rest. One that only protects the machine is given to whoever
/// comes first, as nearly all queries stay far below it.
pub(super) fn limited(
    budget: MemoryBudget,
    watch_process: bool,
) -> Option<(Arc<dyn MemoryPool>, Option<MemoryWatch>)> {
    let (limit, (inner, report)) = match budget {
        MemoryBudget::Unlimited => return None,
        MemoryBudget::Bytes(limit) => (
            limit,
            tracked(FairSpillPool::new(share_of_operators(limit))),
        ),
        MemoryBudget::Machine => {
            let limit = machine_bytes()? / 100 * SHARE_OF_MACHINE;
            (
                limit,
                tracked(GreedyMemoryPool::new(share_of_operators(limit))),
            )
        }
    };
    let watch = watch_process.then(|| MemoryWatch::start(limit, report));
    let watch = watch.flatten();
    let pool = WatchedPool {
        inner,
        watch: watch.clone(),
        most_of_spilling: share_of_operators(limit) / 100 * SHARE_OF_SPILLING,
    };
    Some((Arc::new(pool), watch))
}

fn tracked<P: MemoryPool + 'static>(pool: P) -> (Arc<dyn MemoryPool>, Report) {
    let pool = Arc::new(TrackConsumersPool::new(pool, NAMED_CONSUMERS));
    let own = Arc::clone(&pool);
    let report = move || holders(&own.report_top(NAMED_CONSUMERS.get()));
    (pool, Arc::new(report))
}

/// A pool that gives nothing more while the process holds too much: an operator may
/// ask for less than it takes, and never pause to hear that it should end.
struct WatchedPool {
    inner: Arc<dyn MemoryPool>,
    watch: Option<MemoryWatch>,
    most_of_spilling: usize,
}

impl fmt::Debug for WatchedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Display for WatchedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

impl MemoryPool for WatchedPool {
    fn name(&self) -> &str {
        "watched"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.inner.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.inner.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> DataFusionResult<()> {
        // Who can spill does so at an error, and frees what it holds.
        if let Some(said) = self.watch.as_ref().and_then(MemoryWatch::too_much) {
            return Err(DataFusionError::ResourcesExhausted(said));
        }
        if reservation.consumer().name().starts_with(EXCHANGE) {
            self.inner.grow(reservation, additional);
            return Ok(());
        }
        if reservation.consumer().name().starts_with(SORT)
            && self.inner.reserved().saturating_add(additional) > self.most_of_spilling
        {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} has to spill",
                reservation.consumer().name()
            )));
        }
        self.inner.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.inner.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.inner.memory_limit()
    }
}
