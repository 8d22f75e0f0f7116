//! Lists of cut points as columns: building them, and reading those that a user gave.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListArray, ListBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion_common::{Result, ScalarValue, exec_err};

use crate::types::{is_number, list_item, plain_or};

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float64, true))
}

/// A list of DOUBLE.
pub(crate) fn list_type() -> DataType {
    DataType::List(item())
}

/// One list of DOUBLE a row.
pub(crate) fn list_array(rows: impl IntoIterator<Item = Option<Vec<f64>>>) -> ListArray {
    let mut lists = ListBuilder::new(Float64Builder::new()).with_field(item());
    for row in rows {
        if let Some(values) = &row {
            lists.values().append_slice(values);
        }
        lists.append(row.is_some());
    }
    lists.finish()
}

/// One list of DOUBLE, or NULL.
pub(crate) fn list_scalar(values: Option<Vec<f64>>) -> ScalarValue {
    ScalarValue::List(Arc::new(list_array([values])))
}

/// All values as one list, which takes them over.
pub(crate) fn list_of(values: Vec<f64>) -> ScalarValue {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let values = Arc::new(Float64Array::from(values));
    ScalarValue::List(Arc::new(ListArray::new(item(), offsets, values, None)))
}

/// Whether a type can be read as lists of cut points.
pub(crate) fn is_cuts(data_type: &DataType) -> bool {
    list_item(&plain_or(data_type, list_type()))
        .is_some_and(|item| is_number(&plain_or(item, DataType::Float64)))
}

/// Lists of cut points that a user gave, of any numeric type.
pub(crate) struct CutLists {
    function: &'static str,
    lists: ListArray,
    values: Float64Array,
}

impl CutLists {
    pub(crate) fn of(function: &'static str, lists: &ArrayRef) -> Result<Self> {
        let lists = cast(lists, &list_type())?.as_list::<i32>().clone();
        let values = lists.values().as_primitive::<Float64Type>().clone();
        Ok(Self {
            function,
            lists,
            values,
        })
    }

    /// Whether the first row speaks for all: a constant, or a row of cuts that a query joined to
    /// every row. Bytes are compared, which costs less than reading the lists.
    pub(crate) fn are_one(&self) -> bool {
        let offsets = self.lists.value_offsets();
        let [first, second, ..] = *offsets else {
            return false;
        };
        let width = second - first;
        if self.lists.null_count() > 0 || self.values.null_count() > 0 {
            return self.lists.len() == 1;
        }
        let same_width = offsets.windows(2).all(|pair| pair[1] - pair[0] == width);
        let bytes = |value: i32| value as usize * size_of::<f64>();
        let last = offsets[offsets.len() - 1];
        let all = &self.values.values().inner().as_slice()[bytes(first)..bytes(last)];
        same_width && all[bytes(width)..] == all[..all.len() - bytes(width)]
    }

    /// The cuts of one row, NULL for a list that is NULL.
    ///
    /// # Errors
    /// If they do not ascend, or one of them is NULL or NaN.
    pub(crate) fn row(&self, row: usize) -> Result<Option<&[f64]>> {
        if self.lists.is_null(row) {
            return Ok(None);
        }
        let offsets = self.lists.value_offsets();
        let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
        let cuts = &self.values.values()[start..end];
        if (start..end).any(|at| self.values.is_null(at)) {
            return exec_err!("{} needs cut points that are not NULL", self.function);
        }
        // NaN compares as neither, so this also finds it.
        let ascending = cuts.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ascending || cuts.iter().any(|cut| cut.is_nan()) {
            return exec_err!(
                "{} needs cut points in ascending order, but got {cuts:?}",
                self.function
            );
        }
        Ok(Some(cuts))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, FixedSizeListArray, Int32Array, LargeListArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn rows(lists: ArrayRef) -> Vec<Option<Vec<f64>>> {
        let cuts = CutLists::of("bin_of", &lists).unwrap();
        (0..lists.len())
            .map(|row| cuts.row(row).unwrap().map(<[f64]>::to_vec))
            .collect()
    }

    #[test]
    fn every_kind_of_list() {
        let ints = || vec![Some(vec![Some(1), Some(2)]), None];
        let expected = vec![Some(vec![1.0, 2.0]), None];
        assert_eq!(
            rows(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
                ints()
            ))),
            expected
        );
        let large = LargeListArray::from_iter_primitive::<Int32Type, _, _>(ints());
        assert_eq!(rows(Arc::new(large)), expected);
        let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(ints(), 2);
        assert_eq!(rows(Arc::new(fixed)), expected);
        let decimals = Decimal128Array::from(vec![150, 275])
            .with_precision_and_scale(5, 2)
            .unwrap();
        let item = Arc::new(Field::new_list_field(decimals.data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([2]);
        let list = ListArray::new(item, offsets, Arc::new(decimals), None);
        assert_eq!(rows(Arc::new(list)), [Some(vec![1.5, 2.75])]);
    }

    #[test]
    fn sliced_lists_keep_their_rows() {
        let lists = list_array([Some(vec![9.0]), Some(vec![1.0, 1.0]), Some(vec![])]);
        assert_eq!(
            rows(Arc::new(lists.slice(1, 2))),
            [Some(vec![1.0, 1.0]), Some(vec![])]
        );
    }

    #[test]
    fn disorder_is_an_error() {
        let error = |list: ArrayRef| {
            CutLists::of("bin_of", &list)
                .unwrap()
                .row(0)
                .unwrap_err()
                .strip_backtrace()
        };
        let unsorted = error(Arc::new(list_array([Some(vec![2.0, 1.0])])));
        assert!(
            unsorted.ends_with("bin_of needs cut points in ascending order, but got [2.0, 1.0]")
        );
        assert!(error(Arc::new(list_array([Some(vec![f64::NAN])]))).contains("ascending"));
        let missing: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(
                vec![Some(1), None],
            )]));
        assert!(error(missing).contains("not NULL"));
    }

    #[test]
    fn what_is_not_a_list_of_numbers() {
        assert!(is_cuts(&list_type()) && is_cuts(&DataType::Null));
        let texts = DataType::new_list(DataType::Utf8, true);
        assert!(!is_cuts(&texts) && !is_cuts(Int32Array::from(vec![1]).data_type()));
    }

    fn are_one(rows: Vec<Option<Vec<f64>>>) -> bool {
        let lists: ArrayRef = Arc::new(list_array(rows));
        CutLists::of("bin_of", &lists).unwrap().are_one()
    }

    #[test]
    fn one_list_in_every_row_is_told_from_others() {
        let cuts = |values: &[f64]| Some(values.to_vec());
        assert!(are_one(vec![cuts(&[1.0, 2.0]); 5]));
        assert!(are_one(vec![cuts(&[]); 3]));
        assert!(are_one(vec![None]));
        assert!(!are_one(vec![]));
        assert!(!are_one(vec![cuts(&[1.0]), None]));
        assert!(!are_one(vec![cuts(&[1.0, 2.0]), cuts(&[1.0, 3.0])]));
        // The same values, cut otherwise.
        assert!(!are_one(vec![
            cuts(&[1.0, 1.0]),
            cuts(&[1.0]),
            cuts(&[1.0])
        ]));
        assert!(!are_one(vec![cuts(&[1.0]), cuts(&[]), cuts(&[1.0, 1.0])]));
    }

    #[test]
    fn of_a_slice_its_own_rows_count() {
        let cuts = |value: f64| Some(vec![value, 9.0]);
        let lists = list_array([cuts(1.0), cuts(2.0), cuts(2.0), cuts(3.0)]);
        let slice = |from, rows| -> CutLists {
            let lists: ArrayRef = Arc::new(lists.slice(from, rows));
            CutLists::of("bin_of", &lists).unwrap()
        };
        assert!(slice(1, 2).are_one());
        assert_eq!(slice(1, 2).row(0).unwrap(), Some(&[2.0, 9.0][..]));
        assert!(!slice(0, 2).are_one());
        assert!(!slice(2, 2).are_one());
    }
}
