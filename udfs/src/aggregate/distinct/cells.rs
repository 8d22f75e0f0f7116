//! A value in a fixed number of bits, what makes two of them equal, and back to arrays.

use std::fmt::Debug;
use std::hash::BuildHasher;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewArray, BinaryViewBuilder,
    LargeBinaryBuilder, PrimitiveArray, PrimitiveBuilder,
};
use arrow::datatypes::DataType;
use datafusion_common::hash_utils::RandomState;

use crate::aggregate::buckets::Cells;

/// Values of one kind; those that are there twice leave.
pub(super) trait Values: Cells {
    type Array: Array;
    type Writer: Writer<Self::Cell>;

    fn read(array: &ArrayRef) -> &Self::Array;
    /// A row's value, written down.
    fn cell(array: &Self::Array, row: usize, bytes: &mut Vec<u8>) -> Self::Cell;
}

/// Makes arrays of cells: of the first of each group, and of the others.
pub(super) trait Writer<C> {
    fn new(groups: usize, others: usize, data_type: &DataType) -> Self;
    fn first(&mut self, cell: Option<C>, bytes: &[u8]);
    fn others(&mut self, cells: &[C], bytes: &[u8]);
    fn finish(self) -> (ArrayRef, ArrayRef);
}

/// Values that are their own cells.
#[derive(Debug)]
pub(in crate::aggregate) struct Fixed<T>(PhantomData<fn() -> T>);

impl<T> Cells for Fixed<T>
where
    T: ArrowPrimitiveType + Debug,
    T::Native: Ord,
{
    type Cell = T::Native;

    fn settle(cells: &mut [T::Native], _: &[u8]) -> usize {
        cells.sort_unstable();
        fronted(cells, |a, b| a == b)
    }
}

impl<T> Values for Fixed<T>
where
    T: ArrowPrimitiveType + Debug,
    T::Native: Ord,
{
    type Array = PrimitiveArray<T>;
    type Writer = FixedWriter<T>;

    fn read(array: &ArrayRef) -> &Self::Array {
        array.as_primitive()
    }

    fn cell(array: &Self::Array, row: usize, _: &mut Vec<u8>) -> T::Native {
        array.values()[row]
    }
}

/// Of sorted cells, one of each to the front; how many.
fn fronted<C: Copy>(cells: &mut [C], same: impl Fn(&C, &C) -> bool) -> usize {
    if cells.is_empty() {
        return 0;
    }
    let mut kept = 1;
    for at in 1..cells.len() {
        if !same(&cells[at], &cells[kept - 1]) {
            cells[kept] = cells[at];
            kept += 1;
        }
    }
    kept
}

pub(super) struct FixedWriter<T: ArrowPrimitiveType> {
    first: PrimitiveBuilder<T>,
    others: PrimitiveBuilder<T>,
}

impl<T: ArrowPrimitiveType> Writer<T::Native> for FixedWriter<T> {
    fn new(groups: usize, others: usize, data_type: &DataType) -> Self {
        let builder =
            |rows| PrimitiveBuilder::with_capacity(rows).with_data_type(data_type.clone());
        Self {
            first: builder(groups),
            others: builder(others),
        }
    }

    fn first(&mut self, cell: Option<T::Native>, _: &[u8]) {
        self.first.append_option(cell);
    }

    fn others(&mut self, cells: &[T::Native], _: &[u8]) {
        self.others.append_slice(cells);
    }

    fn finish(mut self) -> (ArrayRef, ArrayRef) {
        (
            Arc::new(self.first.finish()),
            Arc::new(self.others.finish()),
        )
    }
}

/// Bytes of any length. Up to twelve of them are in the cell, which is Arrow's view of them;
/// of longer ones it has the length, a hash, and where they begin.
#[derive(Debug)]
pub(super) struct Bytes;

/// Bytes that fit into a view.
const INLINE: u32 = 12;

/// The bytes that are not in their cell.
fn outside(cell: u128, bytes: &[u8]) -> &[u8] {
    let from = (cell >> 64) as usize;
    &bytes[from..from + cell as u32 as usize]
}

fn is_inline(cell: u128) -> bool {
    cell as u32 <= INLINE
}

/// A cell without the place, which says nothing of the value.
fn key(cell: u128) -> u128 {
    match is_inline(cell) {
        true => cell,
        false => u128::from(cell as u64),
    }
}

fn long_cell(value: &[u8], hash: u32, bytes: &mut Vec<u8>) -> u128 {
    let from = bytes.len() as u128;
    bytes.extend_from_slice(value);
    // Views are of at most 2^31 bytes.
    from << 64 | u128::from(hash) << 32 | value.len() as u128
}

impl Cells for Bytes {
    type Cell = u128;

    fn settle(cells: &mut [u128], bytes: &[u8]) -> usize {
        cells.sort_unstable_by(|&a, &b| {
            let content = || match is_inline(a) {
                true => std::cmp::Ordering::Equal,
                false => outside(a, bytes).cmp(outside(b, bytes)),
            };
            key(a).cmp(&key(b)).then_with(content)
        });
        fronted(cells, |&a, &b| {
            key(a) == key(b) && (is_inline(a) || outside(a, bytes) == outside(b, bytes))
        })
    }

    fn gather(cells: &mut [u128], bytes: Vec<u8>) -> Vec<u8> {
        let long = |cell: &u128| match is_inline(*cell) {
            true => 0,
            false => *cell as u32 as usize,
        };
        let needed = cells.iter().map(long).sum();
        if needed == bytes.len() {
            return bytes;
        }
        let mut kept = Vec::with_capacity(needed);
        for cell in cells.iter_mut().filter(|cell| !is_inline(**cell)) {
            *cell = long_cell(outside(*cell, &bytes), (*cell >> 32) as u32, &mut kept);
        }
        kept
    }
}

impl Values for Bytes {
    type Array = BinaryViewArray;
    type Writer = BytesWriter;

    fn read(array: &ArrayRef) -> &BinaryViewArray {
        array.as_binary_view()
    }

    fn cell(array: &BinaryViewArray, row: usize, bytes: &mut Vec<u8>) -> u128 {
        let view = array.views()[row];
        if is_inline(view) {
            return view;
        }
        let value = array.value(row);
        let hash = RandomState::default().hash_one(value);
        long_cell(value, (hash >> 32) as u32, bytes)
    }
}

pub(super) struct BytesWriter {
    first: BinaryViewBuilder,
    others: LargeBinaryBuilder,
}

/// The bytes of a cell.
fn with_bytes<R>(cell: u128, bytes: &[u8], see: impl FnOnce(&[u8]) -> R) -> R {
    match is_inline(cell) {
        true => see(&cell.to_le_bytes()[4..4 + cell as u32 as usize]),
        false => see(outside(cell, bytes)),
    }
}

impl Writer<u128> for BytesWriter {
    fn new(groups: usize, others: usize, _: &DataType) -> Self {
        Self {
            first: BinaryViewBuilder::with_capacity(groups),
            others: LargeBinaryBuilder::with_capacity(others, 0),
        }
    }

    fn first(&mut self, cell: Option<u128>, bytes: &[u8]) {
        match cell {
            Some(cell) => with_bytes(cell, bytes, |value| self.first.append_value(value)),
            None => self.first.append_null(),
        }
    }

    fn others(&mut self, cells: &[u128], bytes: &[u8]) {
        for cell in cells {
            with_bytes(*cell, bytes, |value| self.others.append_value(value));
        }
    }

    fn finish(mut self) -> (ArrayRef, ArrayRef) {
        (
            Arc::new(self.first.finish()),
            Arc::new(self.others.finish()),
        )
    }
}
