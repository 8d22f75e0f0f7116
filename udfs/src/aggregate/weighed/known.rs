//! Values that were seen, each with a number, such that their order can be asked.

use std::hash::BuildHasher;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion_common::hash_utils::RandomState;
use datafusion_common::{HashMap, Result, exec_datafusion_err, internal_datafusion_err};

use crate::aggregate::distinct::positive_zeros;

/// The number of a value.
pub(super) type Number = u32;

/// That there is none.
pub(super) const NOTHING: Number = 0;

/// The different values, as bytes in Arrow's row format, which order as the values do.
pub(super) struct Known {
    converter: RowConverter,
    bytes: Vec<u8>,
    /// Where each value ends.
    ends: Vec<usize>,
    /// The latest value with a hash.
    latest: HashMap<u64, Number, RandomState>,
    /// Of each value the one before it with the same hash, or [`NOTHING`].
    before: Vec<Number>,
    hashes: RandomState,
}

/// Is there an order of such values?
pub(super) fn is_ordered(data_type: &DataType) -> bool {
    RowConverter::supports_fields(&[SortField::new(data_type.clone())])
}

impl Known {
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        let mut known = Self {
            converter: RowConverter::new(vec![SortField::new(data_type.clone())])?,
            bytes: vec![],
            ends: vec![],
            latest: HashMap::default(),
            before: vec![],
            hashes: RandomState::default(),
        };
        // NULL, which is what there is without a value, has the first number.
        let nothing = known
            .converter
            .convert_columns(&[new_null_array(data_type, 1)])?;
        known.number(nothing.row(0).as_ref())?;
        Ok(known)
    }

    /// Values as bytes that can be numbered.
    pub(super) fn rows(&self, values: &ArrayRef) -> Result<Rows> {
        let values = match values.data_type() {
            DataType::Float32 | DataType::Float64 => positive_zeros(values),
            _ => values.clone(),
        };
        Ok(self.converter.convert_columns(&[values])?)
    }

    /// The number of a value.
    pub(super) fn number(&mut self, value: &[u8]) -> Result<Number> {
        let hash = self.hashes.hash_one(value);
        let latest = self.latest.get(&hash).copied();
        let mut at = latest;
        while let Some(number) = at {
            if self.value(number) == value {
                return Ok(number);
            }
            at = Some(self.before[number as usize]).filter(|it| *it != NOTHING);
        }
        let number = Number::try_from(self.ends.len()).map_err(|_| {
            exec_datafusion_err!("{} different values are too many", self.ends.len())
        })?;
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.before.push(latest.unwrap_or(NOTHING));
        self.latest.insert(hash, number);
        Ok(number)
    }

    /// The bytes of a value: those of a smaller one are smaller.
    pub(super) fn value(&self, number: Number) -> &[u8] {
        let at = number as usize;
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[from..self.ends[at]]
    }

    /// The values themselves.
    pub(super) fn array(&self, numbers: &[Number]) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows = numbers.iter().map(|it| parser.parse(self.value(*it)));
        let column = self.converter.convert_rows(rows)?.pop();
        column.ok_or_else(|| internal_datafusion_err!("rows of no column"))
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        // A byte of control and at least an eighth of empty places beside each entry.
        let entry = size_of::<(u64, Number)>() + 1;
        self.converter.size()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.before.capacity() * size_of::<Number>()
            + self.latest.capacity() * entry * 8 / 7
    }
}
