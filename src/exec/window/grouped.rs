//! `OVER (PARTITION BY …)` with the whole partition as frame: each input partition has all rows of
//! its keys, so groups are numbered and folded as in GROUP BY, and no sort is needed.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::physical_plan::metrics::SpillMetrics;
use futures::TryStreamExt;
use segql_udfs::scoring::{MEASURES, entering};

use super::buffer::Buffer;
use super::function::{Aggregate, Function, evaluate};
use super::held::Held;
use super::scores::Measured;
use super::side_by_side::SideBySide;
use super::whole::Window;

/// The rows of an input partition with the numbers of their groups, and what the groups fold to.
pub(super) struct Groups {
    numbers: Box<dyn GroupValues>,
    rows: Buffer,
    rows_schema: Arc<Schema>,
    measured: Vec<GroupedMeasures>,
    accumulators: Vec<(Aggregate, Box<dyn GroupsAccumulator>)>,
    held: Held,
    folded: MemoryReservation,
    of_rows: Vec<usize>,
}

struct GroupedMeasures {
    measured: Measured,
    /// How many rows of each group enter the cuts.
    entering: Vec<usize>,
}

/// The answers of a function, by group.
enum Answer {
    Values(ArrayRef),
    Cuts([Vec<f64>; MEASURES]),
}

/// Groups with their answers, given out batch by batch.
pub(super) struct Answered {
    groups: Groups,
    answers: Vec<Answer>,
}

fn group_field() -> Field {
    Field::new("group", DataType::UInt32, false)
}

fn groups_accumulator(aggregate: &Aggregate) -> Result<Box<dyn GroupsAccumulator>> {
    if aggregate.0.groups_accumulator_supported() {
        return aggregate.0.create_groups_accumulator();
    }
    let expr = Arc::clone(&aggregate.0);
    let one = move || expr.create_accumulator();
    Ok(Box::new(GroupsAccumulatorAdapter::new(one)))
}

impl Groups {
    pub(super) fn new(
        window: &Window,
        context: &TaskContext,
        metrics: &SpillMetrics,
        partition: usize,
    ) -> Result<Self> {
        let consumer = |what| MemoryConsumer::new(format!("WholeFrameExec[{partition}] {what}"));
        let pool = context.memory_pool();
        let mut accumulators = vec![];
        let mut measured = vec![];
        for function in &window.functions {
            if let Function::Aggregate(aggregate) = function {
                accumulators.push((aggregate.clone(), groups_accumulator(aggregate)?));
            }
            let one = Measured::of(function, &[group_field()], context, metrics);
            measured.extend(one.map(|measured| GroupedMeasures {
                measured,
                entering: vec![],
            }));
        }
        let key = |(at, key): (usize, &Arc<dyn datafusion::physical_plan::PhysicalExpr>)| {
            let (data_type, nullable) =
                (key.data_type(&window.input)?, key.nullable(&window.input)?);
            Ok(Field::new(format!("key {at}"), data_type, nullable))
        };
        let keys: Vec<Field> = window
            .keys
            .iter()
            .enumerate()
            .map(key)
            .collect::<Result<_>>()?;
        let fields = window.input.fields().iter().cloned();
        let fields: Vec<_> = fields.chain([Arc::new(group_field())]).collect();
        let rows_schema = Arc::new(Schema::new(fields));
        Ok(Self {
            numbers: new_group_values(Arc::new(Schema::new(keys)), &GroupOrdering::None)?,
            rows: Buffer::new(Arc::clone(&rows_schema), &context.runtime_env(), metrics),
            rows_schema,
            measured,
            accumulators,
            held: Held::new(consumer("rows").with_can_spill(true).register(pool)),
            folded: consumer("groups").register(pool),
            of_rows: vec![],
        })
    }

    /// Takes in all rows and answers.
    pub(super) async fn answer(
        mut self,
        window: &Window,
        mut input: SendableRecordBatchStream,
    ) -> Result<Answered> {
        while let Some(batch) = input.try_next().await? {
            if batch.num_rows() > 0 {
                self.add(window, &batch)?;
            }
        }
        drop(input);
        if self.numbers.is_empty() {
            let (groups, answers) = (self, vec![]);
            return Ok(Answered { groups, answers });
        }
        let mut accumulators = std::mem::take(&mut self.accumulators).into_iter();
        let mut answers = Vec::with_capacity(window.functions.len());
        let mut call = 0;
        for function in &window.functions {
            answers.push(match function {
                Function::Aggregate(_) => match accumulators.next() {
                    Some((_, mut folded)) => Answer::Values(folded.evaluate(EmitTo::All)?),
                    None => return internal_err!("an aggregate without a fold"),
                },
                Function::Scores { .. } => {
                    call += 1;
                    Answer::Cuts(self.cuts(call - 1).await?)
                }
            });
        }
        Ok(Answered {
            groups: self,
            answers,
        })
    }

    fn add(&mut self, window: &Window, batch: &RecordBatch) -> Result<()> {
        let keys = evaluate(&window.keys, batch)?;
        self.numbers.intern(&keys, &mut self.of_rows)?;
        let total = self.numbers.len();
        for (aggregate, folded) in &mut self.accumulators {
            let arguments = aggregate.arguments(batch)?;
            folded.update_batch(&arguments, &self.of_rows, None, total)?;
        }
        let small = |group: &usize| u32::try_from(*group).ok();
        let of_rows: Option<Vec<u32>> = self.of_rows.iter().map(small).collect();
        let of_rows = of_rows
            .ok_or_else(|| exec_datafusion_err!("a window has more than 4294967295 partitions"))?;
        let of_rows: ArrayRef = Arc::new(UInt32Array::from(of_rows));
        for measures in &mut self.measured {
            let columns = measures.measured.measure(batch)?;
            measures.entering.resize(total, 0);
            for (row, _) in entering(&columns[0]) {
                measures.entering[self.of_rows[row]] += 1;
            }
            let columns = columns.into_iter().chain([Arc::clone(&of_rows)]).collect();
            let schema = Arc::clone(&measures.measured.schema);
            let columns = RecordBatch::try_new(schema, columns)?;
            measures.measured.batches.push(columns, &mut self.held)?;
        }
        self.measure()?;
        let columns = batch.columns().iter().cloned().chain([of_rows]).collect();
        let rows = RecordBatch::try_new(Arc::clone(&self.rows_schema), columns)?;
        self.rows.push(rows, &mut self.held)
    }

    /// Accounts for the groups.
    fn measure(&mut self) -> Result<()> {
        let folded = self.accumulators.iter().map(|(_, folded)| folded.size());
        let counts = self.measured.iter();
        let counts = counts.map(|measures| measures.entering.capacity() * size_of::<usize>());
        let bytes = self.numbers.size() + folded.sum::<usize>() + counts.sum::<usize>();
        if self.folded.try_resize(bytes).is_ok() {
            return Ok(());
        }
        self.spill()?;
        self.folded.try_resize(bytes)
    }

    fn spill(&mut self) -> Result<()> {
        self.rows.spill(&mut self.held)?;
        for measures in &mut self.measured {
            measures.measured.batches.spill(&mut self.held)?;
        }
        Ok(())
    }

    /// The cuts of every group, for each measure in turn: as many groups at once as there is
    /// memory to put their values side by side.
    async fn cuts(&mut self, call: usize) -> Result<[Vec<f64>; MEASURES]> {
        let lengths = std::mem::take(&mut self.measured[call].entering);
        let mut all = <[Vec<f64>; MEASURES]>::default();
        let mut from = 0;
        while from < lengths.len() {
            let (to, reserved) = self.reach(&lengths, from)?;
            let values = &mut self.measured[call].measured;
            for (measure, all) in all.iter_mut().enumerate() {
                let mut side_by_side = SideBySide::new(&lengths[from..to], from);
                let mut batches = values.batches.read()?;
                while let Some(batch) = batches.try_next().await? {
                    side_by_side.take(&batch, measure);
                    tokio::task::consume_budget().await;
                }
                all.extend(side_by_side.cuts(values.scoring));
            }
            self.folded.shrink(reserved);
            from = to;
        }
        Ok(all)
    }

    /// The end of the groups from `from` on whose values find room, and the bytes reserved.
    fn reach(&mut self, lengths: &[usize], from: usize) -> Result<(usize, usize)> {
        let mut to = lengths.len();
        loop {
            // The values, and where the next one of each group goes.
            let numbers = lengths[from..to].iter().sum::<usize>() + (to - from);
            let bytes = numbers * size_of::<u64>();
            if self.folded.try_grow(bytes).is_ok() {
                return Ok((to, bytes));
            }
            self.spill()?;
            match self.folded.try_grow(bytes) {
                Ok(()) => return Ok((to, bytes)),
                Err(full) if to == from + 1 => return Err(full),
                Err(_) => to = from + (to - from) / 2,
            }
        }
    }
}

impl Answered {
    /// The next batch, with a column for each function.
    pub(super) async fn next(&mut self, window: &Window) -> Result<Option<RecordBatch>> {
        let Self { groups, answers } = self;
        let Some(batch) = groups.rows.pop(&mut groups.held).await? else {
            return Ok(None);
        };
        let (of_rows, rows) = match batch.columns().split_last() {
            Some((of_rows, rows)) => (of_rows, rows),
            None => return internal_err!("rows without their groups"),
        };
        let numbers = of_rows.as_primitive::<UInt32Type>();
        let mut columns = rows.to_vec();
        let mut measured = groups.measured.iter_mut();
        for answer in answers {
            columns.push(match answer {
                Answer::Values(values) => take(values, numbers, None)?,
                Answer::Cuts(cuts) => {
                    let Some(call) = measured.next() else {
                        return internal_err!("cuts without measures");
                    };
                    let call = &mut call.measured;
                    let Some(measures) = call.batches.pop(&mut groups.held).await? else {
                        return internal_err!("rows without measures");
                    };
                    let measures = &measures.columns()[..MEASURES];
                    call.scoring
                        .score_in_groups(measures, numbers.values(), cuts)?
                }
            });
        }
        window.batch(columns, batch.num_rows()).map(Some)
    }
}
