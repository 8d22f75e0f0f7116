//! Sums of doubles that do not depend on the order or the grouping of their additions.
//!
//! Doubles are cut along one grid for all: level `k` of it has the unit 2^(26k - 1074), so that
//! every double is a multiple of the unit of level 0. A sum keeps four neighbouring levels, whole
//! numbers of units in each, and the largest exponent seen so far decides which four: a larger
//! value pushes the lowest ones out. What a value puts into the levels kept is itself, rounded to
//! a multiple of the lowest unit, half to even, whichever levels were kept when it came. So the
//! levels together are a function of the values alone, and adding whole numbers does not round.
//!
//! At least 78 bits below the largest magnitude are kept: a sum of n values is off by no more than
//! n · 2^-79 times the largest, before the one rounding to a double. A level has room for 2^37
//! values.
//!
//! The ideas are those of Demmel and Nguyen (Fast Reproducible Floating-Point Summation, 2013;
//! Parallel Reproducible Summation, 2015), who bin by exponent and drop the lowest bins, and of
//! Neal (Fast Exact Summation Using Small and Large Superaccumulators, 2015), who adds chunks of
//! mantissas as whole numbers.

use super::superaccumulator::{WIDTH, power_of_two, rounded_four};

/// How many levels of the grid are kept.
const KEPT: usize = 4;
/// The sums of the levels kept, the lowest first, in units of each.
pub(crate) type Levels = [i64; KEPT];

/// Where the levels begin, or that the sum is no number: compared by size.
type Height = u8;
/// No value yet. Height `h` up to [`HIGHEST`] keeps the levels from `h - 1` on.
pub(crate) const EMPTY: Height = 0;
const HIGHEST: Height = 78;
const INFINITE: Height = 253;
const MINUS_INFINITE: Height = 254;
const NOT_A_NUMBER: Height = 255;

const EXPONENTS: usize = 1 << 11;
const MANTISSA_BITS: u32 = 52;

/// The height that a value of each exponent asks for.
static HEIGHTS: [Height; EXPONENTS] = {
    let mut heights = [NOT_A_NUMBER; EXPONENTS];
    let mut exponent = 0;
    while exponent < EXPONENTS - 1 {
        // Below 2^(exponent + 52) units of level 0; the top level is to hold 26 bits at most.
        let top = (exponent + MANTISSA_BITS as usize).div_ceil(WIDTH as usize) - 1;
        heights[exponent] = (top + 1).saturating_sub(KEPT - 1) as Height;
        if heights[exponent] == EMPTY {
            heights[exponent] = 1;
        }
        exponent += 1;
    }
    heights
};

/// What cuts a value along the levels of one height.
#[derive(Clone, Copy)]
struct Cutter {
    /// Keeps the magic numbers of the highest levels finite.
    scale: f64,
    /// 1.5 · 2^52 units of each level: adding it leaves the units in the lowest bits, rounded
    /// half to even by the processor.
    magic: [f64; KEPT],
}

static CUTTERS: [Cutter; 256] = {
    let nothing = Cutter {
        scale: 0.0,
        magic: [0.0; KEPT],
    };
    let mut cutters = [nothing; 256];
    let mut height = 1;
    while height <= HIGHEST as usize {
        // Magic numbers reach up to level 78; four levels lower is 2^-104 times smaller.
        let high = height - 1 + KEPT - 1 > 78;
        let from = if high { height - 1 - KEPT } else { height - 1 };
        cutters[height].scale = if high {
            power_of_two(-((KEPT as i32) * WIDTH as i32))
        } else {
            1.0
        };
        let mut level = 0;
        while level < KEPT {
            let unit = (from + level) as i32 * WIDTH as i32 - 1074;
            cutters[height].magic[level] = 1.5 * power_of_two(unit + MANTISSA_BITS as i32);
            level += 1;
        }
        height += 1;
    }
    cutters
};

fn height_of(value: f64) -> Height {
    HEIGHTS[(value.to_bits() >> MANTISSA_BITS) as usize & (EXPONENTS - 1)]
}

/// Adds a value to a sum of which height and levels lie apart.
#[inline]
pub(crate) fn add(height: &mut Height, levels: &mut Levels, value: f64) {
    make_room(height, levels, value);
    put(*height, levels, value);
}

/// Adds each value to the sum of its group.
pub(crate) fn add_to_groups(
    heights: &mut [Height],
    levels: &mut [Levels],
    groups: &[usize],
    values: &[f64],
) {
    // The levels of many groups do not fit into any cache, and waiting for them is what takes
    // time. Asked for with nothing else to do, many come at once; the result is of no use.
    let asked = groups
        .iter()
        .fold(0, |asked, group| asked | levels[*group][0]);
    std::hint::black_box(asked);
    // Room first: no branch is then left to guess in what follows.
    for (group, value) in groups.iter().zip(values) {
        make_room(&mut heights[*group], &mut levels[*group], *value);
    }
    for (group, value) in groups.iter().zip(values) {
        put(heights[*group], &mut levels[*group], *value);
    }
}

#[inline]
fn make_room(height: &mut Height, levels: &mut Levels, value: f64) {
    let needed = height_of(value);
    if needed > *height {
        match (needed, *height) {
            (NOT_A_NUMBER, _) => *height = poisoned(*height, value),
            (_, EMPTY) => *height = needed,
            _ => rise(height, levels, needed),
        }
    }
}

#[inline]
fn put(height: Height, levels: &mut Levels, value: f64) {
    let cutter = &CUTTERS[usize::from(height)];
    let mut rest = value * cutter.scale;
    for level in (0..KEPT).rev() {
        let magic = cutter.magic[level];
        let shifted = rest + magic;
        let units = (shifted.to_bits() as i64).wrapping_sub(magic.to_bits() as i64);
        levels[level] = levels[level].wrapping_add(units);
        rest -= shifted - magic;
    }
}

/// Adds one sum to another.
#[inline]
pub(crate) fn merge(height: &mut Height, levels: &mut Levels, other: Height, mut adds: Levels) {
    match other {
        EMPTY => {}
        INFINITE => *height = poisoned(*height, f64::INFINITY),
        MINUS_INFINITE => *height = poisoned(*height, f64::NEG_INFINITY),
        NOT_A_NUMBER => *height = NOT_A_NUMBER,
        _ => {
            let mut its_own = other;
            if other > *height {
                rise(height, levels, other);
            } else {
                rise(&mut its_own, &mut adds, *height);
            }
            for (sum, add) in levels.iter_mut().zip(adds) {
                *sum = sum.wrapping_add(add);
            }
        }
    }
}

/// Raises a sum to a height, dropping its lowest levels.
#[cold]
fn rise(height: &mut Height, levels: &mut Levels, needed: Height) {
    let dropped = usize::from(needed - *height).min(KEPT);
    levels.rotate_left(dropped);
    levels[KEPT - dropped..].fill(0);
    *height = needed;
}

/// The height of a sum once a value came that is infinite or no number.
#[cold]
fn poisoned(height: Height, value: f64) -> Height {
    match height {
        MINUS_INFINITE | NOT_A_NUMBER if value == f64::INFINITY => NOT_A_NUMBER,
        INFINITE | NOT_A_NUMBER if value == f64::NEG_INFINITY => NOT_A_NUMBER,
        _ if value == f64::INFINITY => INFINITE,
        _ if value == f64::NEG_INFINITY => MINUS_INFINITE,
        _ => NOT_A_NUMBER,
    }
}

/// The sum as a double, rounded once; `None` without values.
pub(crate) fn value(height: Height, levels: &Levels) -> Option<f64> {
    Some(match height {
        EMPTY => return None,
        INFINITE => f64::INFINITY,
        MINUS_INFINITE => f64::NEG_INFINITY,
        NOT_A_NUMBER => f64::NAN,
        _ => rounded_four(levels, usize::from(height - 1)),
    })
}

/// One sum.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReproducibleSum {
    pub(crate) height: Height,
    pub(crate) levels: Levels,
}

/// Values whose exponents are looked at together: few enough to stay in the fastest cache.
const BLOCK: usize = 512;
/// Values side by side, for the compiler to take several at once.
const LANES: usize = 8;

impl ReproducibleSum {
    /// Adds all values.
    pub(crate) fn extend(&mut self, values: &[f64]) {
        for block in values.chunks(BLOCK) {
            match largest(block) {
                Some(largest) if block.len() >= LANES => self.add_block(block, largest),
                _ => block
                    .iter()
                    .for_each(|value| add(&mut self.height, &mut self.levels, *value)),
            }
        }
    }

    /// As [`add`] for each value, of which none is above `largest`.
    fn add_block(&mut self, block: &[f64], largest: f64) {
        let needed = height_of(largest);
        if needed > self.height {
            rise(&mut self.height, &mut self.levels, needed);
        }
        let Cutter { scale, magic } = CUTTERS[usize::from(self.height)];
        let units = match scale == 1.0 {
            true => units(block.iter().copied(), &magic),
            false => units(block.iter().map(|value| value * scale), &magic),
        };
        // The magic numbers' own bits are taken off once, not for each value.
        for level in 0..KEPT {
            let magic = (magic[level].to_bits() as i64).wrapping_mul(block.len() as i64);
            let units = units[level].wrapping_sub(magic);
            self.levels[level] = self.levels[level].wrapping_add(units);
        }
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: Self) {
        merge(
            &mut self.height,
            &mut self.levels,
            other.height,
            other.levels,
        );
    }

    /// The level of the grid that the levels kept begin with; `None` if the sum is no finite number.
    pub(crate) fn lowest_level(&self) -> Option<usize> {
        match self.height {
            EMPTY => Some(0),
            1..=HIGHEST => Some(usize::from(self.height - 1)),
            _ => None,
        }
    }

    /// The sum as a double, rounded once; `None` without values.
    pub(crate) fn value(&self) -> Option<f64> {
        value(self.height, &self.levels)
    }
}

/// The bits of all values cut along the levels, those of the magic numbers included.
#[inline]
fn units(values: impl Iterator<Item = f64>, magic: &[f64; KEPT]) -> Levels {
    let mut units: Levels = [0; KEPT];
    for value in values {
        let mut rest = value;
        for level in (0..KEPT).rev() {
            let shifted = rest + magic[level];
            units[level] = units[level].wrapping_add(shifted.to_bits() as i64);
            rest -= shifted - magic[level];
        }
    }
    units
}

/// The largest magnitude; `None` where a value is infinite or no number.
fn largest(block: &[f64]) -> Option<f64> {
    let mut largest = [0.0_f64; LANES];
    let mut poison = [0.0_f64; LANES];
    let (lanes, rest) = block.as_chunks::<LANES>();
    for values in lanes {
        for lane in 0..LANES {
            let magnitude = values[lane].abs();
            largest[lane] = if magnitude > largest[lane] {
                magnitude
            } else {
                largest[lane]
            };
            // Nothing for a number, and no number for anything else.
            poison[lane] += values[lane] * 0.0;
        }
    }
    let of_rest = rest
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let finite = poison.iter().chain(rest).all(|value| value.is_finite());
    finite.then(|| largest.iter().fold(of_rest, |most, value| most.max(*value)))
}

#[cfg(test)]
mod tests;
