//! How many tables, and how many rows at a time.

use std::fmt;

use super::estimate::Estimate;

/// What an aggregation may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Streams that the plan above reads: one a core, mostly.
    pub(super) partitions: usize,
    /// Bytes of the cache of a core.
    pub(super) l2: usize,
    /// Bytes of all that runs; none for no limit.
    pub(super) memory: Option<usize>,
}

/// What was chosen, and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sizing {
    pub(super) partitions: usize,
    pub(super) batch_rows: usize,
    pub(super) skip_ratio: f64,
    pub(super) estimate: Estimate,
    pub(super) l2: usize,
}

/// A table this many times the cache is still worth it: a batch of rows visits it for as
/// long as it is there, and more tables mean more buffers.
const CACHES_A_TABLE: usize = 6;
const MOST_PARTITIONS: usize = 128;
/// Memory a table is left with under a limit: it has to sort and merge when it spills.
const LEAST_MEMORY: usize = 32 << 20;
/// Bytes of batches that wait to be full, all together.
const BUFFERED: usize = 96 << 20;
/// The usual size of a batch, and the largest.
const BATCH_ROWS: (usize, usize) = (8_192, 32_768);
/// Fewer groups than this part of the rows are worth an aggregation before the exchange.
const SKIP_RATIO: f64 = 0.1;

/// None where the plan is right as it is.
pub(super) fn choose(estimate: Estimate, limits: Limits) -> Option<Sizing> {
    let table = CACHES_A_TABLE.saturating_mul(limits.l2).max(1);
    let tables = estimate.groups.saturating_mul(estimate.group_bytes) / table + 1;
    let most = match limits.memory {
        Some(bytes) => MOST_PARTITIONS.min(bytes / LEAST_MEMORY),
        None => MOST_PARTITIONS,
    };
    let each = most.min(tables.checked_next_power_of_two()?) / limits.partitions;
    if each < 2 {
        return None;
    }
    let partitions = each * limits.partitions;
    let buffered = BUFFERED.min(limits.memory.unwrap_or(usize::MAX) / 16);
    let rows = buffered / (partitions * estimate.row_bytes.max(1));
    // Down to a power of two.
    let rows = (rows / 2 + 1).next_power_of_two();
    Some(Sizing {
        partitions,
        batch_rows: rows.clamp(BATCH_ROWS.0, BATCH_ROWS.1),
        skip_ratio: SKIP_RATIO,
        estimate,
        l2: limits.l2,
    })
}

impl fmt::Display for Sizing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            groups,
            group_bytes,
            aggregate_first,
            ..
        } = self.estimate;
        write!(
            f,
            "partitions={}, batch_rows={}, groups<={groups}, group_bytes={group_bytes}, l2={}",
            self.partitions, self.batch_rows, self.l2
        )?;
        match aggregate_first {
            true => write!(f, ", skip_partial_ratio={}", self.skip_ratio),
            false => write!(f, ", single_stage"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATE: Estimate = Estimate {
        groups: 10_000_000,
        group_bytes: 65,
        row_bytes: 40,
        aggregate_first: true,
    };
    const LIMITS: Limits = Limits {
        partitions: 2,
        l2: 2 << 20,
        memory: None,
    };

    #[test]
    fn tables_of_six_caches() {
        // 650 MB in tables of at most 12 MiB: 52 and so 64 of them.
        let sizing = choose(ESTIMATE, LIMITS).unwrap();
        assert_eq!((sizing.partitions, sizing.batch_rows), (64, 32_768));
        let fewer = Estimate {
            groups: 1_000_000,
            ..ESTIMATE
        };
        assert_eq!(choose(fewer, LIMITS).unwrap().partitions, 8);
        let more = Estimate {
            groups: usize::MAX,
            ..ESTIMATE
        };
        assert_eq!(choose(more, LIMITS).unwrap().partitions, 128);
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let few = Estimate {
            groups: 200_000,
            ..ESTIMATE
        };
        assert_eq!(choose(few, LIMITS), None);
        let many_cores = Limits {
            partitions: 64,
            ..LIMITS
        };
        assert_eq!(choose(ESTIMATE, many_cores), None);
    }

    #[test]
    fn partitions_are_a_multiple_of_those_above() {
        let odd = Limits {
            partitions: 3,
            ..LIMITS
        };
        assert_eq!(choose(ESTIMATE, odd).unwrap().partitions, 63);
    }

    #[test]
    fn a_limit_leaves_each_table_enough() {
        let limited = |megabytes: usize| Limits {
            memory: Some(megabytes << 20),
            ..LIMITS
        };
        let sizing = choose(ESTIMATE, limited(1024)).unwrap();
        assert_eq!((sizing.partitions, sizing.batch_rows), (32, 32_768));
        assert_eq!(choose(ESTIMATE, limited(200)).unwrap().partitions, 6);
        assert_eq!(choose(ESTIMATE, limited(100)), None);
    }
}
