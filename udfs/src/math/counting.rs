//! Exact quantile cuts by counting passes: the values are read again and again instead of being
//! sorted or held, and each pass finds further bits of the values at the wanted positions.
//!
//! Selection by distribution, as in Knuth, The Art of Computer Programming 3, 5.2.5, from the most
//! significant digit: a pass counts how often each next digit follows the digits known so far, in
//! parts that can be counted apart and added up.

use super::quantile::Rank;

/// Bits that the first pass finds, and those after it: they count once for each prefix, and the
/// counters of all prefixes shall fit the cache.
const FIRST: u32 = 16;
const NEXT: u32 = 12;

/// The quantile cuts of values that come in passes.
#[derive(Debug, Clone)]
pub struct Selection {
    bins: usize,
    /// How many leading bits the prefixes have.
    known: u32,
    /// What the values at the open positions begin with, ascending, each once.
    prefixes: Vec<u64>,
    /// For the first 16 bits of a value, 1 + the first prefix that begins so; 0 where none does.
    begins: Vec<u8>,
    open: Vec<Open>,
    /// The values found, by position.
    found: Vec<(usize, f64)>,
    ranks: Vec<Rank>,
}

/// A position whose value is not known yet: the one of `rank` among those with its prefix.
#[derive(Debug, Clone)]
struct Open {
    position: usize,
    rank: u64,
    prefix: usize,
}

/// What one pass over some of the values counted.
#[derive(Debug, Clone)]
pub struct Counts {
    /// How many values have each next digit, for each prefix in turn.
    digits: Vec<u64>,
    /// How many digits there are.
    base: usize,
    /// For each prefix the bits that any, and that all of its values have.
    bits: Vec<(u64, u64)>,
}

impl Counts {
    /// Adds what was counted in another part of the same pass.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.digits.iter_mut().zip(&other.digits) {
            *count += more;
        }
        for ((any, all), (other_any, other_all)) in self.bits.iter_mut().zip(&other.bits) {
            *any |= other_any;
            *all &= other_all;
        }
    }

    fn see(&mut self, prefix: usize, digit: u64, key: u64) {
        self.digits[prefix * self.base + digit as usize] += 1;
        let (any, all) = &mut self.bits[prefix];
        *any |= key;
        *all &= key;
    }
}

impl Selection {
    /// Before the first pass. `bins` may not exceed 100, so that prefixes can be told by a byte.
    #[must_use]
    pub fn new(bins: usize) -> Self {
        debug_assert!((2..=100).contains(&bins), "{bins} bins");
        Self {
            bins,
            known: 0,
            prefixes: vec![0],
            begins: vec![],
            open: vec![],
            found: vec![],
            ranks: vec![],
        }
    }

    /// Whether all is known, so that no further pass is needed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Bits that the next pass finds.
    fn step(&self) -> u32 {
        if self.known == 0 { FIRST } else { NEXT }
    }

    fn base(&self) -> usize {
        1 << self.step()
    }

    /// Bytes that the counts of the next pass take.
    #[must_use]
    pub fn counts_size(&self) -> usize {
        self.prefixes.len() * self.base() * size_of::<u64>()
    }

    /// Empty counts for the next pass.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            digits: vec![0; self.prefixes.len() * self.base()],
            base: self.base(),
            bits: vec![(0, u64::MAX); self.prefixes.len()],
        }
    }

    /// Counts values that are not NaN; -0 counts as 0.
    pub fn count(&self, values: impl Iterator<Item = f64>, counts: &mut Counts) {
        let keys = values.map(key);
        if self.known == 0 {
            keys.for_each(|key| counts.see(0, key >> (u64::BITS - FIRST), key));
            return;
        }
        let prefix_shift = u64::BITS - self.known;
        let (digit_shift, digit_bits) = (prefix_shift - NEXT, (1 << NEXT) - 1);
        for key in keys {
            let begin = self.begins[(key >> (u64::BITS - FIRST)) as usize];
            if begin == 0 {
                continue;
            }
            let wanted = key >> prefix_shift;
            let candidates = self.prefixes[usize::from(begin) - 1..].iter();
            // Ascending: the first that is not below is the one, or there is none.
            let below = candidates.take_while(|prefix| **prefix < wanted).count();
            let at = usize::from(begin) - 1 + below;
            if self.prefixes.get(at) == Some(&wanted) {
                counts.see(at, (key >> digit_shift) & digit_bits, key);
            }
        }
    }

    /// Learns from the counts of a whole pass.
    #[must_use]
    pub fn narrowed(mut self, counts: &Counts) -> Self {
        if self.known == 0 {
            self.start(counts.digits.iter().sum());
        }
        let step = self.step();
        self.known += step;
        let open = std::mem::take(&mut self.open);
        let prefixes = std::mem::take(&mut self.prefixes);
        for group in open.chunk_by(|a, b| a.prefix == b.prefix) {
            let of = group[0].prefix;
            let digits = &counts.digits[of * counts.base..][..counts.base];
            let (mut digit, mut before) = (0, 0);
            for Open { position, rank, .. } in group {
                while before + digits[digit] <= *rank {
                    before += digits[digit];
                    digit += 1;
                }
                let prefix = prefixes[of] << step | digit as u64;
                self.learn(*position, rank - before, prefix, counts.bits[of]);
            }
        }
        self.index();
        self
    }

    /// What the value at a position begins with, and the bits that any and that all values have
    /// that began as it does one pass ago.
    fn learn(&mut self, position: usize, rank: u64, prefix: u64, (any, all): (u64, u64)) {
        let unknown = u64::MAX.checked_shr(self.known).unwrap_or(0);
        if (any ^ all) & unknown == 0 {
            // The rest is the same in all of them.
            let key = prefix << (u64::BITS - self.known) | all & unknown;
            self.found.push((position, value(key)));
            return;
        }
        if self.prefixes.last() != Some(&prefix) {
            self.prefixes.push(prefix);
        }
        self.open.push(Open {
            position,
            rank,
            prefix: self.prefixes.len() - 1,
        });
    }

    /// The positions wanted among `total` values.
    fn start(&mut self, total: u64) {
        let Some(last) = total.checked_sub(1) else {
            return;
        };
        self.ranks = Rank::all(last as usize, self.bins);
        let open = Rank::positions_of(&self.ranks).into_iter();
        let open = open.map(|position| Open {
            position,
            rank: position as u64,
            prefix: 0,
        });
        self.open = open.collect();
    }

    fn index(&mut self) {
        self.begins = vec![0; 1 << FIRST];
        for (at, prefix) in self.prefixes.iter().enumerate().rev() {
            let begin = (prefix >> (self.known - FIRST)) as usize;
            self.begins[begin] = u8::try_from(at + 1).expect("at most two positions a cut");
        }
    }

    /// The cuts in ascending order; `None` where there were no values.
    #[must_use]
    pub fn cuts(&self) -> Option<Vec<f64>> {
        let at = |position| {
            let found = self.found.iter().find(|(of, _)| *of == position);
            found.expect("every position was found").1
        };
        let cuts = self.ranks.iter().map(|rank| rank.value(at));
        (!self.ranks.is_empty()).then(|| cuts.collect())
    }
}

/// Bits that order as the values do: a negative number's are turned, so that more is less.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

fn value(key: u64) -> f64 {
    let turned = if key >> 63 == 1 { 1 << 63 } else { u64::MAX };
    f64::from_bits(key ^ turned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::quantile::cut_points;
    use super::*;

    /// Cuts from parts that are counted apart, and the number of passes.
    fn select(parts: &[&[f64]], bins: usize) -> (Option<Vec<f64>>, usize) {
        let mut selection = Selection::new(bins);
        let mut passes = 0;
        while !selection.is_done() {
            let mut whole = selection.counts();
            for part in parts {
                let mut counts = selection.counts();
                selection.count(part.iter().copied(), &mut counts);
                whole.add(&counts);
            }
            selection = selection.narrowed(&whole);
            passes += 1;
        }
        (selection.cuts(), passes)
    }

    #[test]
    fn published_values() {
        // numpy.quantile([1, 2, 3, 4], [.25, .5, .75]) and R quantile(1:10, c(.2, .4, .6, .8)).
        let (cuts, _) = select(&[&[4.0, 1.0], &[3.0, 2.0]], 4);
        assert_eq!(cuts, Some(vec![1.75, 2.5, 3.25]));
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(select(&[&ten], 5).0, Some(vec![2.8, 4.6, 6.4, 8.2]));
    }

    #[test]
    fn nothing_one_value_and_infinities() {
        assert_eq!(select(&[&[], &[]], 5), (None, 1));
        assert_eq!(select(&[&[-3.5]], 5), (Some(vec![-3.5; 4]), 1));
        let all = [f64::INFINITY, -0.0, f64::NEG_INFINITY, 0.0, f64::MIN];
        let cuts = select(&[&all], 4).0.unwrap();
        assert_eq!(cuts, [f64::MIN, 0.0, 0.0]);
        assert!(cuts[1].is_sign_positive());
    }

    #[test]
    fn whole_numbers_need_two_passes() {
        let days: Vec<f64> = (0..4000).map(f64::from).collect();
        assert_eq!(select(&[&days], 5).1, 2);
    }

    proptest! {
        /// Against selection in memory, over values that share many leading bits.
        #[test]
        fn agrees_with_selecting_in_memory(
            mut values in prop::collection::vec(prop_oneof![
                (-3i32..9).prop_map(f64::from),
                (0i32..1000).prop_map(|cents| f64::from(cents) / 100.0),
                (0u64..5).prop_map(|ulps| f64::from_bits(1.5f64.to_bits() + ulps)),
                -1e300..1e300f64,
            ], 0..200),
            bins in 2usize..12,
            at in 0usize..200,
        ) {
            let (left, right) = values.split_at(at.min(values.len()));
            let (cuts, passes) = select(&[left, right], bins);
            prop_assert!(passes <= 5);
            let plain: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
            values = plain;
            prop_assert_eq!(cuts, cut_points(&mut values, bins));
        }

        #[test]
        fn keys_order_as_values(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(key(a).cmp(&key(b)), (a + 0.0).partial_cmp(&(b + 0.0)).unwrap());
            prop_assert_eq!(value(key(a)), a);
        }
    }
}
