//! Windows on operators of our own: the rows of plain DataFusion's, whatever the partitions, the
//! batches and the memory.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use segql::session::{MemoryBudget, Resources, build};

use crate::dice::Dice;

/// Each with the operators that its plan must have.
const QUERIES: [(&str, &[&str]); 14] = [
    (
        "SELECT id, avg(x) OVER (), sum(f) OVER (), min(g) OVER (), max(d) OVER (), count(*) OVER (),
           count(DISTINCT g) OVER (), quantile_cuts(f, 4) OVER (), stddev(f) OVER () FROM t",
        &["WholeFrameExec"],
    ),
    ("SELECT id, rfm_score(k, x, d) OVER () FROM t", &["WholeFrameExec"]),
    (
        "SELECT id, sum(x) OVER (), rfm_score(x, f, d, 9) OVER (), rfm_score(d, x, k, 2) OVER () FROM t",
        &["WholeFrameExec"],
    ),
    (
        "SELECT id, g, sum(f) OVER (PARTITION BY g), avg(d) OVER (PARTITION BY g), min(x) OVER (PARTITION BY g),
           count(DISTINCT k) OVER (PARTITION BY g), median(f) OVER (PARTITION BY g), rfm_score(x, k, f) OVER (PARTITION BY g) FROM t",
        &["WholeFrameExec"],
    ),
    (
        "SELECT id, rfm_score(f, d, k, 7) OVER (PARTITION BY k, g), rfm_cuts(x, k, f) OVER (PARTITION BY k, g) FROM t",
        &["WholeFrameExec"],
    ),
    (
        "SELECT id, count(x) OVER (PARTITION BY id), rfm_score(x, k, f) OVER (PARTITION BY id % 900) FROM t",
        &["WholeFrameExec"],
    ),
    (
        "SELECT id, ntile(7) OVER (ORDER BY x, id), ntile(100000) OVER (ORDER BY id DESC) FROM t",
        &["CountedWindowExec"],
    ),
    (
        "SELECT id, percent_rank() OVER (PARTITION BY g ORDER BY k), cume_dist() OVER (PARTITION BY g ORDER BY k),
           cume_dist() OVER (ORDER BY f DESC NULLS LAST), ntile(4) OVER (PARTITION BY k, g ORDER BY id) FROM t",
        &["CountedWindowExec"],
    ),
    (
        "SELECT id, row_number() OVER (PARTITION BY g ORDER BY id), max(x) OVER (PARTITION BY g ORDER BY id
           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), ntile(3) OVER (PARTITION BY g ORDER BY id),
           last_value(x) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING),
           rank() OVER (PARTITION BY g ORDER BY id), sum(d) OVER (PARTITION BY g ORDER BY id) FROM t",
        &["WholeFrameExec", "CountedWindowExec", "BoundedWindowAggExec", "AccountedExec"],
    ),
    (
        "SELECT id, sum(x) FILTER (WHERE k > 1) OVER (PARTITION BY g), count(*) FILTER (WHERE g = 'b') OVER () FROM t",
        &["AccountedExec"],
    ),
    // Equal floats that a sort tells apart: 0 and -0.
    (
        "SELECT id, count(*) OVER (PARTITION BY f) FROM t",
        &["AccountedExec"],
    ),
    (
        "SELECT id, cume_dist() OVER (), percent_rank() OVER (PARTITION BY k) FROM t",
        &["CountedWindowExec"],
    ),
    (
        "SELECT score, count(*) FROM (SELECT (rfm_score(k, x, d) OVER ())['score'] AS score FROM t) GROUP BY score",
        &["WholeFrameExec"],
    ),
    (
        "SELECT a.id, a.s, b.n FROM (SELECT id, sum(x) OVER (PARTITION BY g) AS s FROM t) AS a
           JOIN (SELECT id, count(*) OVER () AS n FROM t WHERE k = 1) AS b ON a.id = b.id",
        &["WholeFrameExec"],
    ),
];

/// Rows with ties, NULLs and both zeros.
fn rows(count: usize, seed: u64) -> RecordBatch {
    let mut dice = Dice(seed);
    let mut or_null = |value: &dyn Fn(&mut Dice) -> f64| -> Vec<Option<f64>> {
        let mut one = || {
            let value = value(&mut dice);
            (dice.below(8) > 0).then_some(value)
        };
        (0..count).map(|_| one()).collect()
    };
    let x = or_null(&|dice| dice.below(50) as f64 - 20.0);
    let k = or_null(&|dice| dice.below(4) as f64);
    let floats = [-0.0, 0.0, 0.1, 1e17, -3.5, 1.0 / 3.0];
    let f = or_null(&|dice| floats[dice.below(floats.len())]);
    let d = or_null(&|dice| dice.below(100_000) as f64);
    let g = or_null(&|dice| dice.below(3) as f64);
    let whole = |values: &[Option<f64>]| -> ArrayRef {
        Arc::new(Int64Array::from_iter(
            values.iter().map(|v| v.map(|v| v as i64)),
        ))
    };
    let cents = Decimal128Array::from_iter(d.iter().map(|v| v.map(|v| v as i128)));
    let names = g
        .iter()
        .map(|v| v.map(|v| ["a", "b", "a longer name"][v as usize]));
    RecordBatch::try_from_iter_with_nullable([
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..count as i64)) as ArrayRef,
            true,
        ),
        ("x", whole(&x), true),
        ("k", whole(&k), true),
        ("f", Arc::new(Float64Array::from(f)), true),
        (
            "d",
            Arc::new(cents.with_precision_and_scale(12, 2).expect("fits")),
            true,
        ),
        ("g", Arc::new(StringArray::from_iter(names)), true),
    ])
    .expect("columns of one length")
}

/// The table cut into partitions of uneven size, and those into batches.
fn table(rows: &RecordBatch, partitions: usize) -> Arc<MemTable> {
    let mut dice = Dice(partitions as u64);
    let mut parts = vec![vec![]; partitions];
    let mut at = 0;
    while at < rows.num_rows() {
        let length = (1 + dice.below(200)).min(rows.num_rows() - at);
        parts[dice.below(partitions)].push(rows.slice(at, length));
        at += length;
    }
    Arc::new(MemTable::try_new(rows.schema(), parts).expect("a table"))
}

fn plain() -> SessionContext {
    let mut context =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    segql_udfs::register_all(&mut context).expect("registers");
    for function in segql_udfs::exact_aggregates() {
        context.register_udaf(function.as_ref().clone());
    }
    context
}

#[derive(Debug)]
struct Way {
    threads: usize,
    partitions: usize,
    batch_size: usize,
    memory_limit: Option<usize>,
}

async fn ours(way: &Way) -> SessionContext {
    let resources = Resources {
        memory: way
            .memory_limit
            .map_or(MemoryBudget::Unlimited, MemoryBudget::Bytes),
        watch_process: false,
        threads: std::num::NonZeroUsize::new(way.threads),
        temp_dir: None,
    };
    let (context, _watch) = build(&resources, chrono_tz::UTC).expect("a session");
    let size = way.batch_size;
    for set in [
        format!("SET datafusion.execution.batch_size = {size}"),
        "SET datafusion.execution.sort_spill_reservation_bytes = 0".to_owned(),
    ] {
        context
            .sql(&set)
            .await
            .expect("sets")
            .collect()
            .await
            .expect("sets");
    }
    context
}

type Rows = datafusion::common::Result<Vec<String>>;

/// The plan, and the rows in an order of their own.
async fn answer(context: &SessionContext, sql: &str) -> (Arc<dyn ExecutionPlan>, Rows) {
    let frame = context.sql(sql).await.expect(sql);
    let plan = frame.create_physical_plan().await.expect(sql);
    let batches = match collect(Arc::clone(&plan), context.task_ctx()).await {
        Ok(batches) => batches,
        Err(error) => return (plan, Err(error)),
    };
    let format = FormatOptions::default().with_null("NULL");
    let mut rows = vec![];
    for batch in &batches {
        let columns = batch.columns().iter();
        let columns: Vec<_> = columns
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &format).expect("printable"))
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
            rows.push(cells.join(" | "));
        }
    }
    rows.sort();
    (plan, Ok(rows))
}

fn spilled(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let here = match plan.name() {
        "WholeFrameExec" | "CountedWindowExec" => plan.metrics(),
        _ => None,
    };
    let here = here.and_then(|metrics| metrics.spilled_rows()).unwrap_or(0);
    here + plan.children().into_iter().map(spilled).sum::<usize>()
}

/// Asserts that a query gives what plain DataFusion does; `None` if the memory did not suffice.
async fn same(way: &Way, rows: &RecordBatch, query: (&str, &[&str])) -> Option<usize> {
    let (sql, operators) = query;
    let plain = plain();
    plain
        .register_table("t", table(rows, 1))
        .expect("registers");
    let expected = answer(&plain, sql).await.1.expect(sql);
    let context = ours(way).await;
    let table = table(rows, way.partitions);
    context.register_table("t", table).expect("registers");
    let (plan, got) = answer(&context, sql).await;
    let shown = displayable(plan.as_ref()).indent(true).to_string();
    for operator in operators {
        assert!(shown.contains(operator), "{operator} for {sql}\n{shown}");
    }
    let got = match got {
        Err(error) if way.memory_limit.is_some() => {
            let error = error.strip_backtrace();
            assert!(error.contains("Resources exhausted"), "{sql}: {error}");
            return None;
        }
        got => got.expect(sql),
    };
    assert!(
        got == expected,
        "{way:?}: {sql}\n{shown}\n{:?}\n{:?}",
        got.iter().zip(&expected).find(|(a, b)| a != b),
        (got.len(), expected.len())
    );
    Some(spilled(&plan))
}

fn way(threads: usize, partitions: usize, batch_size: usize, memory_limit: Option<usize>) -> Way {
    Way {
        threads,
        partitions,
        batch_size,
        memory_limit,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_of_plain_datafusion() {
    let all = rows(3000, 1);
    let mut null = rows(40, 2).columns().to_vec();
    for column in &mut null[1..] {
        *column = new_null_array(column.data_type(), 40);
    }
    let null = RecordBatch::try_new(all.schema(), null).expect("columns of one length");
    let ways = [
        way(1, 1, 8192, None),
        way(2, 2, 100, None),
        way(8, 3, 8192, None),
    ];
    for rows in [all.clone(), all.slice(0, 0), all.slice(7, 1), null] {
        for query in QUERIES {
            for way in &ways {
                let spilled = same(way, &rows, query).await;
                assert_eq!(spilled, Some(0), "without a limit");
            }
        }
    }
}

/// With little memory a query gives the same or says that it was too little; nothing between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_rows_with_little_memory() {
    let all = rows(3000, 1);
    let (mut spills, mut failures) = (0, 0);
    for query in QUERIES {
        for memory_limit in [200_000, 500_000, 1_000_000, 20_000_000] {
            let way = way(2, 2, 100, Some(memory_limit));
            let spilled = same(&way, &all, query).await;
            assert!(spilled.is_some() || memory_limit < 20_000_000, "{query:?}");
            spills += usize::from(spilled.is_some_and(|rows| rows > 0));
            failures += usize::from(spilled.is_none());
        }
    }
    assert!(spills >= 10, "{spills} spilled, {failures} had too little");
}

/// So many rows that the cuts come from counting passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scores_by_counting() {
    let all = rows(80_000, 3);
    let sql = "SELECT id, rfm_score(x, f, d) OVER (), rfm_score(d, k, x, 9) OVER () FROM t";
    let query = (sql, &["by counting passes"][..]);
    assert_eq!(same(&way(3, 3, 8192, None), &all, query).await, Some(0));
    let little = same(&way(3, 3, 8192, Some(10_000_000)), &all, query).await;
    assert!(little.is_some_and(|rows| rows > 0), "{little:?}");
}

/// One partition after the other, not all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_may_be_asked_for_in_turn_and_twice() {
    let context = ours(&way(3, 3, 100, None)).await;
    context
        .register_table("t", table(&rows(3000, 4), 3))
        .expect("registers");
    let frame = context
        .sql("SELECT id, count(*) OVER () AS n FROM t")
        .await
        .expect("plans");
    let plan = frame.create_physical_plan().await.expect("plans");
    assert_eq!(plan.properties().partitioning.partition_count(), 3);
    for _ in 0..2 {
        let mut count = 0;
        for partition in 0..3 {
            let stream = plan.execute(partition, context.task_ctx()).expect("runs");
            let batches = datafusion::physical_plan::common::collect(stream)
                .await
                .expect("runs");
            count += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        }
        assert_eq!(count, 3000);
    }
}
