//! The keys of a group with their bits, dealt by hash to shards, so that all cores
//! add to them at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::names::Names;

/// More than there are cores, so that they seldom wait for each other, and each small
/// enough for a cache.
const SHARDS: usize = 32;

/// Not the seed by which tables find their slots: the keys of one shard must not all
/// fall into the same ones.
const SEED: u64 = 0x5e6_9a11;

pub(super) struct Shards {
    shards: Vec<Mutex<Shard>>,
    names: Mutex<Names>,
    random: RandomState,
}

/// Some of the keys.
pub(super) struct Shard {
    keys: Box<dyn GroupValues>,
    /// The bits of each key, so many words for each.
    words: Vec<u64>,
    width: usize,
    memory: MemoryReservation,
}

/// Which bits rows set.
pub(super) enum Bits<'b> {
    All(u32),
    Each(&'b [Option<u32>]),
}

/// What a task uses again for every batch.
#[derive(Default)]
pub(super) struct Scratch {
    hashes: Vec<u64>,
    rows: Vec<Vec<u32>>,
    groups: Vec<usize>,
}

impl Shards {
    pub(super) fn new(names: Names, key_type: &DataType, context: &TaskContext) -> Result<Self> {
        let schema = Schema::new(vec![Field::new("key", key_type.clone(), true)]);
        let schema = std::sync::Arc::new(schema);
        let shard = |at| {
            let consumer = MemoryConsumer::new(format!("MembershipExec[{at}]"));
            Ok(Mutex::new(Shard {
                keys: new_group_values(std::sync::Arc::clone(&schema), &GroupOrdering::None)?,
                words: vec![],
                width: 1,
                memory: consumer.register(context.memory_pool()),
            }))
        };
        Ok(Self {
            shards: (0..SHARDS).map(shard).collect::<Result<_>>()?,
            names: Mutex::new(names),
            random: RandomState::with_seed(SEED),
        })
    }

    pub(super) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the bits of these keys. A row without a key is nobody.
    pub(super) fn add(
        &self,
        keys: &ArrayRef,
        bits: &Bits<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Scratch {
            hashes,
            rows,
            groups,
        } = scratch;
        hashes.clear();
        hashes.resize(keys.len(), 0);
        create_hashes([keys], &self.random, hashes)?;
        rows.resize_with(SHARDS, Vec::new);
        rows.iter_mut().for_each(Vec::clear);
        for (row, hash) in hashes.iter().enumerate() {
            if keys.is_valid(row) {
                rows[(hash >> 32) as usize % SHARDS].push(row as u32);
            }
        }
        for (shard, rows) in self.shards.iter().zip(rows) {
            if rows.is_empty() {
                continue;
            }
            let indices = UInt32Array::from(std::mem::take(rows));
            let own = take(keys, &indices, None)?;
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.add(&own, indices.values(), bits, groups)?;
            drop(shard);
            *rows = indices
                .into_parts()
                .1
                .into_inner()
                .into_vec()
                .unwrap_or_default();
        }
        Ok(())
    }

    /// The shards, when all rows are in.
    pub(super) fn finish(self) -> (Names, Vec<Shard>) {
        let names = self.names.into_inner();
        let shards = self.shards.into_iter();
        let shards = shards.map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner));
        (
            names.unwrap_or_else(PoisonError::into_inner),
            shards.collect(),
        )
    }
}

impl Shard {
    fn add(
        &mut self,
        keys: &ArrayRef,
        rows: &[u32],
        bits: &Bits<'_>,
        groups: &mut Vec<usize>,
    ) -> Result<()> {
        self.keys.intern(std::slice::from_ref(keys), groups)?;
        let highest = match bits {
            Bits::All(bit) => Some(*bit),
            Bits::Each(bits) => bits.iter().flatten().max().copied(),
        };
        self.make_room(highest.map_or(0, |bit| bit as usize / 64) + 1);
        match bits {
            Bits::All(bit) => groups.iter().for_each(|group| self.set(*group, *bit)),
            Bits::Each(bits) => {
                for (group, row) in groups.iter().zip(rows) {
                    if let Some(bit) = bits[*row as usize] {
                        self.set(*group, bit);
                    }
                }
            }
        }
        let bytes = self.keys.size() + self.words.capacity() * size_of::<u64>();
        self.memory.try_resize(bytes)
    }

    fn set(&mut self, group: usize, bit: u32) {
        self.words[group * self.width + bit as usize / 64] |= 1 << (bit % 64);
    }

    /// Words for every key, so many each at least.
    fn make_room(&mut self, width: usize) {
        if width > self.width {
            let mut wider = vec![0; self.words.len() / self.width * width];
            let old = self.words.chunks_exact(self.width);
            for (new, old) in wider.chunks_exact_mut(width).zip(old) {
                new[..old.len()].copy_from_slice(old);
            }
            (self.words, self.width) = (wider, width);
        }
        self.words.resize(self.keys.len() * self.width, 0);
    }

    /// The bits of each key.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.words.chunks_exact(self.width)
    }
}
