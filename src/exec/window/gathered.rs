//! `OVER ()`: every input partition is folded and kept apart, on its own thread; the folds are
//! merged, and the rows are given out again with the answers, as many partitions as came in.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Accumulator;
use datafusion::physical_plan::metrics::SpillMetrics;
use futures::TryStreamExt;
use futures::future::try_join_all;
use segql_udfs::scoring::Selection;
use tokio::runtime::Handle;

use super::buffer::Buffer;
use super::function::{Aggregate, Function};
use super::held::Held;
use super::scores::{
    AllCuts, Measured, are_few, counts_size, cuts_in_memory, empty_counts, narrowed,
};
use super::whole::Window;

/// The rows of one input partition, and what they fold to.
pub(super) struct Part {
    rows: Buffer,
    count: usize,
    measured: Vec<Measured>,
    accumulators: Vec<(Aggregate, Box<dyn Accumulator>)>,
    held: Held,
    /// For the accumulators and the counts of a pass.
    folded: MemoryReservation,
    /// The number of rows when the accumulators were last measured.
    sized_at: usize,
}

/// The answer of a function, for every row.
enum Answer {
    Same(ScalarValue),
    Cuts(AllCuts),
}

/// The answers, and the parts that wait to be given out.
pub(super) struct Answers {
    answers: Vec<Answer>,
    parts: Vec<Mutex<Option<Part>>>,
}

impl Part {
    pub(super) fn new(
        window: &Window,
        context: &TaskContext,
        metrics: &SpillMetrics,
        partition: usize,
    ) -> Result<Self> {
        let consumer = |what| MemoryConsumer::new(format!("WholeFrameExec[{partition}] {what}"));
        let pool = context.memory_pool();
        let accumulators = window
            .functions
            .iter()
            .filter_map(|function| match function {
                Function::Aggregate(aggregate) => Some(aggregate),
                Function::Scores { .. } => None,
            });
        let accumulators = accumulators.map(|aggregate| {
            let accumulator = aggregate.0.create_accumulator()?;
            Ok((aggregate.clone(), accumulator))
        });
        let measured = window.functions.iter();
        let measured = measured.filter_map(|call| Measured::of(call, &[], context, metrics));
        Ok(Self {
            rows: Buffer::new(Arc::clone(&window.input), &context.runtime_env(), metrics),
            count: 0,
            measured: measured.collect(),
            accumulators: accumulators.collect::<Result<_>>()?,
            held: Held::new(consumer("rows").with_can_spill(true).register(pool)),
            folded: consumer("aggregates").register(pool),
            sized_at: 0,
        })
    }

    async fn gather(mut self, mut input: SendableRecordBatchStream) -> Result<Self> {
        while let Some(batch) = input.try_next().await? {
            if batch.num_rows() > 0 {
                self.add(batch)?;
            }
        }
        drop(input);
        self.measure_accumulators()?;
        Ok(self)
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        for (aggregate, accumulator) in &mut self.accumulators {
            accumulator.update_batch(&aggregate.arguments(&batch)?)?;
        }
        self.count += batch.num_rows();
        // Measuring some accumulators takes time in proportion to what they hold.
        if self.count - self.sized_at >= self.count / 16 {
            self.measure_accumulators()?;
        }
        for measured in &mut self.measured {
            let measures = measured.measure(&batch)?.to_vec();
            let measures = RecordBatch::try_new(Arc::clone(&measured.schema), measures)?;
            // The rows are read once, the measures in every pass: rows leave memory first.
            if !measured.batches.keep(&measures, &mut self.held) {
                self.rows.spill(&mut self.held)?;
                measured.batches.push(measures, &mut self.held)?;
            }
        }
        self.rows.push(batch, &mut self.held)
    }

    fn measure_accumulators(&mut self) -> Result<()> {
        self.sized_at = self.count;
        let sizes = self.accumulators.iter().map(|(_, folded)| folded.size());
        self.reserve(sizes.sum())
    }

    /// Makes room for what cannot be spilled, at the cost of what can.
    fn reserve(&mut self, bytes: usize) -> Result<()> {
        if self.folded.try_resize(bytes).is_ok() {
            return Ok(());
        }
        self.spill()?;
        self.folded.try_resize(bytes)
    }

    fn spill(&mut self) -> Result<()> {
        self.rows.spill(&mut self.held)?;
        for measured in &mut self.measured {
            measured.batches.spill(&mut self.held)?;
        }
        Ok(())
    }
}

/// Gathers all inputs and answers.
pub(super) async fn answer(
    window: Arc<Window>,
    inputs: Vec<(Part, SendableRecordBatchStream)>,
) -> Result<Answers> {
    let gather = |(part, input): (Part, _)| part.gather(input);
    let mut parts = on_all_threads(inputs, gather).await?;
    let mut folded = fold(&mut parts)?.into_iter();
    let mut call = 0;
    let mut answers = Vec::with_capacity(window.functions.len());
    for function in &window.functions {
        answers.push(match function {
            Function::Aggregate(_) => match folded.next() {
                Some(value) => Answer::Same(value),
                None => return internal_err!("an aggregate without a fold"),
            },
            Function::Scores { .. } => {
                let cuts;
                (parts, cuts) = select(parts, call).await?;
                call += 1;
                Answer::Cuts(cuts)
            }
        });
    }
    let parts = parts.into_iter().map(|part| Mutex::new(Some(part)));
    Ok(Answers {
        answers,
        parts: parts.collect(),
    })
}

async fn on_all_threads<T, R, F>(of: Vec<T>, work: impl Fn(T) -> F) -> Result<Vec<R>>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let tasks: Vec<_> = of
        .into_iter()
        .map(|of| SpawnedTask::spawn(work(of)))
        .collect();
    let joined = tasks.into_iter().map(|task| async {
        task.join_unwind()
            .await
            .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
    });
    try_join_all(joined).await
}

/// The value of each aggregate over all parts.
fn fold(parts: &mut [Part]) -> Result<Vec<ScalarValue>> {
    let Some((whole, others)) = parts.split_first_mut() else {
        return Ok(vec![]);
    };
    for part in others {
        for ((_, whole), (_, part)) in whole.accumulators.iter_mut().zip(&mut part.accumulators) {
            let state = part.state()?;
            let state: Vec<ArrayRef> = state
                .iter()
                .map(ScalarValue::to_array)
                .collect::<Result<_>>()?;
            whole.merge_batch(&state)?;
        }
        part.accumulators.clear();
        part.folded.free();
        whole.measure_accumulators()?;
    }
    let accumulators = whole.accumulators.iter_mut();
    let values = accumulators.map(|(_, accumulator)| accumulator.evaluate());
    let values = values.collect::<Result<_>>()?;
    whole.accumulators.clear();
    whole.folded.free();
    Ok(values)
}

/// The cuts of one call of `rfm_score`.
async fn select(mut parts: Vec<Part>, call: usize) -> Result<(Vec<Part>, AllCuts)> {
    let scoring = parts[0].measured[call].scoring;
    if are_few(parts.iter().map(|part| part.count).sum()) {
        let mut values = Default::default();
        for part in &mut parts {
            part.measured[call].entering(&mut values).await?;
        }
        return Ok((parts, cuts_in_memory(scoring, values)));
    }
    let mut selections = scoring.selections();
    while !selections.iter().all(Selection::is_done) {
        let shared = Arc::new(selections.clone());
        let pass = |mut parts: Vec<Part>| {
            let selections = Arc::clone(&shared);
            async move {
                let bytes = counts_size(&selections);
                if parts[0].folded.try_resize(bytes).is_err() {
                    parts.iter_mut().try_for_each(Part::spill)?;
                    parts[0].reserve(bytes)?;
                }
                let mut counts = empty_counts(&selections);
                for part in &mut parts {
                    let measured = &mut part.measured[call];
                    measured.count(&selections, &mut counts).await?;
                }
                parts[0].folded.free();
                Ok((parts, counts))
            }
        };
        let (after, counts): (Vec<_>, _) = on_all_threads(shares(parts), pass)
            .await?
            .into_iter()
            .unzip();
        parts = after.into_iter().flatten().collect();
        selections = narrowed(selections, counts);
    }
    Ok((parts, selections.map(|selection| selection.cuts())))
}

/// As many lists of parts as there are threads: each counts apart, and there may be many more
/// parts.
fn shares(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let threads = Handle::current().metrics().num_workers().max(1);
    let size = parts.len().div_ceil(threads).max(1);
    let mut parts = parts.into_iter().peekable();
    let mut shares = vec![];
    while parts.peek().is_some() {
        shares.push(parts.by_ref().take(size).collect());
    }
    shares
}

impl Answers {
    /// The rows of one partition, to be given out.
    pub(super) fn take(&self, partition: usize) -> Result<Part> {
        let part = self.parts.get(partition).and_then(|part| {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            part.take()
        });
        match part {
            Some(part) => Ok(part),
            None => internal_err!("the rows of partition {partition} were given out already"),
        }
    }

    /// The next batch of a part, with a column for each function.
    pub(super) async fn next(
        &self,
        window: &Window,
        part: &mut Part,
    ) -> Result<Option<RecordBatch>> {
        let Some(batch) = part.rows.pop(&mut part.held).await? else {
            return Ok(None);
        };
        let mut columns = batch.columns().to_vec();
        let mut measured = part.measured.iter_mut();
        for answer in &self.answers {
            columns.push(match answer {
                Answer::Same(value) => value.to_array_of_size(batch.num_rows())?,
                Answer::Cuts(cuts) => {
                    let Some(call) = measured.next() else {
                        return internal_err!("cuts without measures");
                    };
                    let Some(measures) = call.batches.pop(&mut part.held).await? else {
                        return internal_err!("rows without measures");
                    };
                    call.scoring.score(measures.columns(), cuts)?
                }
            });
        }
        window.batch(columns, batch.num_rows()).map(Some)
    }
}
