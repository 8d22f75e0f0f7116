//! RFM scores: better customers never score worse, and only the rows matter.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use datafusion_expr::ColumnarValue;
use datafusion_functions_window_common::partition::PartitionEvaluatorArgs;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use proptest::prelude::*;

use super::{PARTITIONS, Placed, at_once, doubles, in_partitions, scalar, shuffled, window};
use crate::testing::{Constant, call, scores};

/// Recency, frequency and monetary of a customer.
type Customer = [Option<f64>; 3];
type Score = Option<[i32; 4]>;

/// Many ties, odd fractions, both zeros, and numbers that differ in the last bit.
fn measure() -> impl Strategy<Value = Option<f64>> {
    let value = prop_oneof![
        4 => (-4i32..12).prop_map(|v| f64::from(v) / 2.0),
        2 => -1e6..1e6f64,
        1 => Just(-0.0),
        1 => Just(0.1 + 0.2),
        1 => Just(0.3),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN_POSITIVE),
    ];
    prop::option::weighted(0.9, value)
}

fn customers() -> impl Strategy<Value = Vec<Placed<Customer>>> {
    let customer = (measure(), measure(), measure()).prop_map(|(r, f, m)| [r, f, m]);
    prop::collection::vec((customer, any::<u32>(), 0..PARTITIONS), 0..60)
}

fn columns(customers: &[&Customer]) -> Vec<ArrayRef> {
    let column = |measure: usize| doubles(customers.iter().map(|it| it[measure]));
    (0..3).map(column).collect()
}

/// `rfm_score(r, f, m, bins) OVER ()`.
fn rfm_score(bins: i64, customers: &[&Customer]) -> Vec<Score> {
    let mut exprs: Vec<Arc<dyn PhysicalExpr>> = (0..3).map(|_| Constant::column()).collect();
    exprs.push(Constant::of(bins));
    let args = PartitionEvaluatorArgs::new(&exprs, &[], false, false);
    let mut scoring = window("rfm_score")
        .partition_evaluator_factory(args)
        .unwrap();
    let columns = columns(customers);
    scores(&scoring.evaluate_all(&columns, customers.len()).unwrap())
}

fn written(customers: &[Placed<Customer>]) -> Vec<&Customer> {
    customers.iter().map(|it| &it.0).collect()
}

proptest! {
    #[test]
    fn who_is_better_in_everything_never_scores_worse(customers in customers(), bins in 2i64..=9) {
        let customers = written(&customers);
        let scores = rfm_score(bins, &customers);
        for (a, x) in customers.iter().zip(&scores) {
            prop_assert_eq!(x.is_none(), a.contains(&None), "NULL for a NULL measure, and only then");
            for (b, y) in customers.iter().zip(&scores) {
                let (Some(x), Some(y)) = (x, y) else { continue };
                for part in 0..3 {
                    if a[part] == b[part] {
                        prop_assert_eq!(x[part], y[part], "{:?} {:?} are equal", a, b);
                    }
                }
                if a[0] <= b[0] && a[1] >= b[1] && a[2] >= b[2] {
                    prop_assert!(x[..3].iter().zip(y).all(|(x, y)| x >= y), "{:?} {:?}", a, b);
                    prop_assert!(x[3] >= y[3], "{:?} {:?}", a, b);
                }
            }
        }
    }

    #[test]
    fn the_order_of_customers_does_not_matter(customers in customers(), bins in 2i64..=9) {
        let expected = rfm_score(bins, &written(&customers));
        let order = shuffled(&customers);
        let other: Vec<&Customer> = order.iter().map(|at| &customers[*at].0).collect();
        let got = rfm_score(bins, &other);
        for (place, at) in order.iter().enumerate() {
            prop_assert_eq!(got[place], expected[*at]);
        }
    }

    #[test]
    fn cuts_gathered_in_parts_are_those_of_the_whole(
        customers in customers(), bins in 2i64..=9, batch in 1usize..9,
    ) {
        let whole = at_once("rfm_cuts", bins, &columns(&written(&customers)));
        let parts = in_partitions("rfm_cuts", bins, batch, &customers, columns);
        prop_assert_eq!(parts, whole);
    }

    /// Kept cuts give the scores of the window function, batch by batch.
    #[test]
    fn kept_cuts_give_the_same_scores(
        customers in customers(), bins in 2i64..=9, batch in 1usize..9,
    ) {
        let rows = written(&customers);
        let cuts = in_partitions("rfm_cuts", bins, batch, &customers, columns);
        let mut got = vec![];
        for part in rows.chunks(batch) {
            let mut args: Vec<_> = columns(part).into_iter().map(ColumnarValue::Array).collect();
            args.push(ColumnarValue::Scalar(cuts.clone()));
            got.extend(scores(&call(&scalar("rfm_score_with"), args, part.len()).unwrap()));
        }
        prop_assert_eq!(got, rfm_score(bins, &rows));
    }

    /// A slice of a column scores as its rows copied out would.
    #[test]
    fn slices_are_columns(customers in customers(), from in 0usize..60) {
        let rows = written(&customers);
        let from = from.min(rows.len());
        let whole = columns(&rows);
        let sliced: Vec<ArrayRef> = whole.iter().map(|it| it.slice(from, rows.len() - from)).collect();
        prop_assert_eq!(
            at_once("rfm_cuts", 5, &sliced),
            at_once("rfm_cuts", 5, &columns(&rows[from..]))
        );
    }
}
