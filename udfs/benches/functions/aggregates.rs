//! Cut points, scores over a partition, and the sums and means that do not depend on order.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::function::{AccumulatorArgs, PartitionEvaluatorArgs};
use datafusion_expr::{AggregateUDF, EmitTo, PartitionEvaluator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use crate::columns::{BATCH, ROWS, below, doubles, integers};

const GROUPS: u64 = 100_000;

fn aggregate(name: &str) -> Arc<AggregateUDF> {
    let exact = segql_udfs::exact_aggregates();
    let mut all = segql_udfs::all_aggregate().into_iter().chain(exact);
    all.find(|it| it.name() == name)
        .expect("a function of this crate")
}

fn expressions(columns: usize, bins: Option<i64>) -> Vec<Arc<dyn PhysicalExpr>> {
    let column = |at| Arc::new(Column::new("f", at)) as Arc<dyn PhysicalExpr>;
    let bins = bins.map(|bins| Arc::new(Literal::new(ScalarValue::from(bins))) as _);
    (0..columns).map(column).chain(bins).collect()
}

/// Calls `make` with the arguments of a call over columns of these types.
fn with_arguments<T>(
    function: &AggregateUDF,
    types: &[DataType],
    exprs: &[Arc<dyn PhysicalExpr>],
    make: impl FnOnce(AccumulatorArgs<'_>) -> T,
) -> T {
    let field = |seen: &DataType| -> FieldRef { Arc::new(Field::new("f", seen.clone(), true)) };
    let expr_fields: Vec<FieldRef> = types.iter().map(field).collect();
    make(AccumulatorArgs {
        return_field: function
            .return_field(&expr_fields)
            .expect("takes these types"),
        schema: &Schema::empty(),
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "bench",
        is_distinct: false,
        exprs,
        expr_fields: &expr_fields,
    })
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn quantile_cuts(bencher: Bencher<'_, '_>) {
    let x = doubles(1_000_000);
    let function = aggregate("quantile_cuts");
    let types = [DataType::Float64, DataType::Int64];
    let exprs = expressions(1, Some(5));
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let made = with_arguments(&function, &types, &exprs, |args| function.accumulator(args));
        let mut cuts = made.expect("is made");
        for batch in &x {
            cuts.update_batch(std::slice::from_ref(batch))
                .expect("takes it");
        }
        cuts.evaluate().expect("has an answer")
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn rfm_cuts(bencher: Bencher<'_, '_>) {
    let columns = [doubles(365), doubles(12), doubles(1_000_000)];
    let function = aggregate("rfm_cuts");
    let types = [const { DataType::Float64 }; 3];
    let exprs = expressions(3, None);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let made = with_arguments(&function, &types, &exprs, |args| function.accumulator(args));
        let mut cuts = made.expect("is made");
        for batch in 0..ROWS / BATCH {
            let batch = columns.each_ref().map(|column| Arc::clone(&column[batch]));
            cuts.update_batch(&batch).expect("takes it");
        }
        cuts.evaluate().expect("has an answer")
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn rfm_score_over_all(bencher: Bencher<'_, '_>) {
    let whole = |column: Vec<ArrayRef>| {
        let parts: Vec<&dyn arrow::array::Array> = column.iter().map(|it| &**it).collect();
        concat(&parts).expect("fits")
    };
    let columns = [doubles(365), doubles(12), doubles(1_000_000)].map(whole);
    let function = segql_udfs::all_window().remove(0);
    let exprs = expressions(3, None);
    let field: FieldRef = Arc::new(Field::new("f", DataType::Float64, true));
    let fields = vec![field; 3];
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let args = PartitionEvaluatorArgs::new(&exprs, &fields, false, false);
        let made = function.partition_evaluator_factory(args);
        let mut scores: Box<dyn PartitionEvaluator> = made.expect("is made");
        scores.evaluate_all(&columns, ROWS).expect("has an answer")
    });
}

fn grouped(bencher: Bencher<'_, '_>, name: &str, values: Vec<ArrayRef>) {
    let function = aggregate(name);
    let types = [values[0].data_type().clone()];
    let exprs = expressions(1, None);
    let group = |row| below(GROUPS, row ^ 0x5555) as usize;
    let groups: Vec<Vec<usize>> = (0..ROWS / BATCH)
        .map(|batch| (batch * BATCH..(batch + 1) * BATCH).map(group).collect())
        .collect();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let made = with_arguments(&function, &types, &exprs, |args| {
            function.create_groups_accumulator(args)
        });
        let mut sums = made.expect("is made");
        for (batch, groups) in values.iter().zip(&groups) {
            let batch = std::slice::from_ref(batch);
            sums.update_batch(batch, groups, None, GROUPS as usize)
                .expect("takes it");
        }
        black_box(sums.evaluate(EmitTo::All).expect("has an answer"))
    });
}

fn decimals() -> Vec<ArrayRef> {
    let cast = |it: ArrayRef| arrow::compute::cast(&it, &DataType::Decimal128(12, 2));
    let values = integers(100_000).into_iter();
    values.map(|it| cast(it).expect("casts")).collect()
}

#[divan::bench(args = ["sum", "avg", "stddev"], sample_count = 5, sample_size = 1)]
fn of_doubles_in_groups(bencher: Bencher<'_, '_>, name: &str) {
    grouped(bencher, name, doubles(100_000));
}

#[divan::bench(args = ["sum", "avg"], sample_count = 5, sample_size = 1)]
fn of_decimals_in_groups(bencher: Bencher<'_, '_>, name: &str) {
    grouped(bencher, name, decimals());
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn sum_of_integers_in_groups(bencher: Bencher<'_, '_>) {
    grouped(bencher, "sum", integers(100_000));
}
