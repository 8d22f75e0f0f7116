//! What holds for every input, through the functions as a query calls them: against independent
//! reckonings, and whatever the order, batches and partitions in which rows arrive.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Accumulator, AggregateUDF, ScalarUDF, WindowUDF};

use crate::testing::{Constant, accumulator};

mod behaviour;
mod cuts;
mod days;
mod distinct;
mod scores;
mod splits;

fn scalar(name: &str) -> Arc<ScalarUDF> {
    let mut all = crate::all_scalar().into_iter();
    all.find(|function| function.name() == name).unwrap()
}

fn aggregate(name: &str) -> Arc<AggregateUDF> {
    let mut all = crate::all_aggregate().into_iter();
    all.find(|function| function.name() == name).unwrap()
}

fn window(name: &str) -> Arc<WindowUDF> {
    let mut all = crate::all_window().into_iter();
    all.find(|function| function.name() == name).unwrap()
}

/// A row, where it stands among the rest, and the partition it comes from.
type Placed<T> = (T, u32, usize);

/// How many partitions rows are spread over.
const PARTITIONS: usize = 4;

/// The places of the rows in another order.
fn shuffled<T>(rows: &[Placed<T>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| rows[*at].1);
    order
}

/// An aggregate over columns of DOUBLE, as it is computed on several threads: the rows of each
/// partition in their other order and in batches, then the partial states merged.
fn in_partitions<T>(
    name: &str,
    bins: i64,
    batch: usize,
    rows: &[Placed<T>],
    columns: impl Fn(&[&T]) -> Vec<ArrayRef>,
) -> ScalarValue {
    let mut merged = accumulator_of(name, bins, columns(&[]).len());
    for partition in 0..PARTITIONS {
        let mut partial = accumulator_of(name, bins, columns(&[]).len());
        let order = shuffled(rows).into_iter();
        let own = order.filter(|at| rows[*at].2 == partition);
        let own: Vec<&T> = own.map(|at| &rows[at].0).collect();
        for part in own.chunks(batch) {
            partial.update_batch(&columns(part)).unwrap();
        }
        let state = partial.state().unwrap();
        let state: Vec<ArrayRef> = state.iter().map(|it| it.to_array().unwrap()).collect();
        merged.merge_batch(&state).unwrap();
    }
    merged.evaluate().unwrap()
}

/// The same over all rows at once, in the order in which they were written.
fn at_once(name: &str, bins: i64, columns: &[ArrayRef]) -> ScalarValue {
    let mut whole = accumulator_of(name, bins, columns.len());
    whole.update_batch(columns).unwrap();
    whole.evaluate().unwrap()
}

fn accumulator_of(name: &str, bins: i64, measures: usize) -> Box<dyn Accumulator> {
    let mut types = vec![DataType::Float64; measures];
    types.push(DataType::Int64);
    let mut exprs: Vec<_> = (0..measures).map(|_| Constant::column()).collect();
    exprs.push(Constant::of(bins));
    accumulator(&aggregate(name), &types, exprs).unwrap()
}

fn doubles(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}
