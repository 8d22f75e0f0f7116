//! How many keys have the same bits, and what follows from that.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
};
use datafusion::common::Result;
use datafusion::common::hash_utils::RandomState;
use datafusion::execution::memory_pool::MemoryReservation;

use super::Shape;
use super::names::Names;
use super::shards::Shard;

/// What an entry of a map takes beside its words.
const ENTRY_BYTES: usize = 64;

/// How many keys have each row of bits, empty words at the end of rows left out.
pub(super) struct Rows {
    counts: HashMap<Vec<u64>, i64, RandomState>,
    memory: MemoryReservation,
}

impl Rows {
    pub(super) fn of(shards: Vec<Shard>, memory: MemoryReservation) -> Result<Self> {
        let counts = HashMap::with_hasher(RandomState::with_seed(0));
        let mut rows = Self { counts, memory };
        for shard in shards {
            for row in shard.rows() {
                let used = row.iter().rposition(|word| *word != 0);
                rows.add(&row[..used.map_or(0, |at| at + 1)], 1)?;
            }
        }
        Ok(rows)
    }

    /// All of these together.
    pub(super) fn merged(all: Vec<Self>) -> Result<Option<Self>> {
        let mut all = all.into_iter();
        let Some(mut first) = all.next() else {
            return Ok(None);
        };
        for other in all {
            for (row, count) in &other.counts {
                first.add(row, *count)?;
            }
        }
        Ok(Some(first))
    }

    fn add(&mut self, row: &[u64], count: i64) -> Result<()> {
        match self.counts.get_mut(row) {
            Some(sum) => *sum += count,
            None => {
                self.memory.try_grow(ENTRY_BYTES + size_of_val(row))?;
                self.counts.insert(row.to_vec(), count);
            }
        }
        Ok(())
    }
}

/// What is known of a group.
pub(super) struct Counts {
    pub(super) names: Names,
    pub(super) rows: Rows,
}

impl Counts {
    /// The names of the segments that a row of bits says, in their order.
    fn named<'n>(row: &[u64], names: &[(usize, &'n str)]) -> Vec<&'n str> {
        let is_set = |(place, name): &(usize, &'n str)| {
            let word = row.get(place / 64)?;
            (word >> (place % 64) & 1 == 1).then_some(*name)
        };
        names.iter().filter_map(is_set).collect()
    }

    fn combinations(&self) -> Vec<(Vec<&str>, i64)> {
        let names = self.names.sorted();
        // People in no segment at all may differ in whether the entity lists them.
        let rows = self.rows.counts.iter();
        let named = rows.map(|(row, count)| (Self::named(row, &names), *count));
        named.filter(|(names, _)| !names.is_empty()).collect()
    }

    fn pairs(&self) -> Pairs<'_> {
        let names = self.names.sorted();
        let mut both = vec![0_i64; names.len() * names.len()];
        let mut base = self.names.everyone.map(|_| 0);
        let mut set = vec![];
        for (row, count) in &self.rows.counts {
            let has = |place: usize| {
                row.get(place / 64)
                    .is_some_and(|it| it >> (place % 64) & 1 == 1)
            };
            if let (Some(base), Some(bit)) = (&mut base, self.names.everyone)
                && has(bit as usize)
            {
                *base += count;
            }
            set.clear();
            set.extend((0..names.len()).filter(|at| has(names[*at].0)));
            for (at, a) in set.iter().enumerate() {
                for b in &set[at..] {
                    both[a * names.len() + b] += count;
                }
            }
        }
        let names = names.into_iter().map(|(_, name)| name).collect();
        Pairs { names, both, base }
    }
}

/// How many are in each two segments, and of each with itself its size.
struct Pairs<'c> {
    names: Vec<&'c str>,
    both: Vec<i64>,
    base: Option<i64>,
}

/// What groups have to tell, all of them together.
pub(super) fn told(groups: &[Counts], shape: Shape) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = match shape {
        Shape::Combinations => {
            let mut all: Vec<_> = groups.iter().flat_map(Counts::combinations).collect();
            all.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
            let mut lists = ListBuilder::new(StringBuilder::new());
            for (names, _) in &all {
                lists.append_value(names.iter().map(|name| Some(*name)));
            }
            let sizes: Int64Array = all.iter().map(|(_, size)| Some(*size)).collect();
            vec![Arc::new(lists.finish()), Arc::new(sizes)]
        }
        Shape::Pairs => columns_of_pairs(groups),
    };
    Ok(RecordBatch::try_new(shape.schema(), columns)?)
}

fn columns_of_pairs(groups: &[Counts]) -> Vec<ArrayRef> {
    let mut texts = [StringBuilder::new(), StringBuilder::new()];
    let mut numbers = [(); 3].map(|()| Int64Builder::new());
    let mut bases = Int64Builder::new();
    for pairs in groups.iter().map(Counts::pairs) {
        let many = pairs.names.len();
        let both = |a: usize, b: usize| pairs.both[a * many + b];
        for a in 0..many {
            for b in a + 1..many {
                texts[0].append_value(pairs.names[a]);
                texts[1].append_value(pairs.names[b]);
                let sizes = [both(a, a), both(b, b), both(a, b)];
                for (column, size) in numbers.iter_mut().zip(sizes) {
                    column.append_value(size);
                }
                bases.append_option(pairs.base);
            }
        }
    }
    let texts = texts
        .into_iter()
        .map(|mut it| Arc::new(it.finish()) as ArrayRef);
    let numbers = numbers.into_iter().chain([bases]);
    let numbers = numbers.map(|mut it| Arc::new(it.finish()) as ArrayRef);
    texts.chain(numbers).collect()
}
