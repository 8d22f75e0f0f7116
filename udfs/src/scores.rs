//! The three measures of a customer as columns, and their scores as STRUCT{r, f, m, score}.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion_common::{Result, exec_datafusion_err};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

use crate::arguments::Call;
use crate::math::bins::Closed;
use crate::math::rfm::{Cuts, combined};
use crate::numeric::to_doubles;
use crate::types::{is_number, is_time, plain_or};

const MEASURES: [&str; 3] = ["recency_days", "frequency", "monetary"];

/// How many bins a measure may have: a score is one digit.
pub(crate) const BINS: std::ops::RangeInclusive<i64> = 2..=9;
/// How many bins a measure has unless a call says otherwise.
const DEFAULT_BINS: usize = 5;

/// The type of scores.
pub(crate) fn score_type() -> DataType {
    DataType::Struct(fields())
}

fn fields() -> Fields {
    let part = |name: &str| Field::new(name, DataType::Int32, true);
    ["r", "f", "m", "score"].into_iter().map(part).collect()
}

/// Checks that the first three arguments of a call are numbers.
pub(crate) fn check_measures(call: &Call, types: &[&DataType]) -> Result<()> {
    for (position, (seen, name)) in types.iter().zip(MEASURES).enumerate() {
        if !is_number(&plain_or(seen, DataType::Float64)) {
            let mend = match position {
                0 if is_time(seen) => "write days_since(…) of it".to_owned(),
                _ => format!("write CAST({name} AS DOUBLE)"),
            };
            return Err(call.wrong_type(position, &format!("a number as {name}"), seen, &mend));
        }
    }
    Ok(())
}

/// Checks the type of the number of bins, where a call has it as fourth argument.
pub(crate) fn check_bins_type(call: &Call, types: &[&DataType]) -> Result<()> {
    match types.get(3) {
        Some(seen) if !is_number(&plain_or(seen, DataType::Int64)) => Err(call.wrong_type(
            3,
            "bins as a whole number",
            seen,
            "write a number from 2 to 9",
        )),
        _ => Ok(()),
    }
}

/// The number of bins in a physical plan: the fourth argument, or the default.
pub(crate) fn bins_argument(call: &Call, exprs: &[Arc<dyn PhysicalExpr>]) -> Result<usize> {
    let Some(expr) = exprs.get(3) else {
        return Ok(DEFAULT_BINS);
    };
    let bins = call.physical_constant("bins", expr)?;
    Ok(call.whole_number("bins", &bins, BINS)? as usize)
}

/// Recency, frequency and monetary of every row.
pub(crate) struct Measures {
    columns: [Float64Array; 3],
    /// A row with a NULL measure is NULL as a whole.
    nulls: Option<NullBuffer>,
}

impl Measures {
    /// Reads the first three of `arrays`. NaN is an error.
    pub(crate) fn of(function: &str, arrays: &[ArrayRef]) -> Result<Self> {
        let mut columns = Vec::with_capacity(3);
        for array in &arrays[..3] {
            columns.push(to_doubles(function, array)?);
        }
        let columns: [Float64Array; 3] = columns.try_into().expect("three were pushed");
        let [r, f, m] = &columns;
        let nulls = NullBuffer::union_many([r.nulls(), f.nulls(), m.nulls()]);
        Ok(Self { columns, nulls })
    }

    fn is_complete(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    /// The measures as columns that are all NULL where one of them is.
    pub(crate) fn into_columns(self) -> [Float64Array; 3] {
        let nulls = self.nulls;
        self.columns
            .map(|column| Float64Array::new(column.values().clone(), nulls.clone()))
    }

    /// Takes what [`Self::into_columns`] gave.
    pub(crate) fn from_columns(columns: [Float64Array; 3]) -> Self {
        let nulls = columns[0].nulls().cloned();
        Self { columns, nulls }
    }

    /// The values of the rows in which no measure is NULL, one list a measure; -0 as 0.
    pub(crate) fn complete(&self) -> [Vec<f64>; 3] {
        self.columns.each_ref().map(|column| {
            let values = column.values().iter().enumerate();
            let complete = values.filter(|(row, _)| self.is_complete(*row));
            complete.map(|(_, value)| value + 0.0).collect()
        })
    }

    /// The scores of every row, all with the same cuts; no cuts, no score.
    pub(crate) fn score_all(&self, cuts: Option<Cuts<'_>>) -> Result<StructArray> {
        let rows = self.columns[0].len();
        let Some(cuts) = cuts else {
            return finish(
                std::array::from_fn(|_| vec![0; rows]),
                Some(NullBuffer::new_null(rows)),
                rows,
            );
        };
        let [recency, frequency, monetary] = self.columns.each_ref().map(Float64Array::values);
        let mut parts = [
            Closed::Right.bins(recency, cuts.recency),
            Closed::Right.bins(frequency, cuts.frequency),
            Closed::Right.bins(monetary, cuts.monetary),
            vec![],
        ];
        let best = cuts.recency.len() as i32 + 2;
        parts[0].iter_mut().for_each(|bin| *bin = best - *bin);
        let nulls = self.nulls.clone().filter(|nulls| nulls.null_count() > 0);
        if let Some(nulls) = &nulls {
            for part in &mut parts[..3] {
                for (row, bin) in part.iter_mut().enumerate() {
                    *bin *= i32::from(nulls.is_valid(row));
                }
            }
        }
        let [r, f, m, score] = &mut parts;
        let three = r.iter().zip(&*f).zip(&*m);
        score.extend(three.map(|((r, f), m)| combined([*r, *f, *m])));
        finish(parts, nulls, rows)
    }

    /// The scores of every row, with the cuts that `cuts` gives for it; no cuts, no score.
    pub(crate) fn score<'a>(
        &self,
        cuts: impl Fn(usize) -> Result<Option<Cuts<'a>>>,
    ) -> Result<StructArray> {
        let [recency, frequency, monetary] = self.columns.each_ref().map(Float64Array::values);
        let mut scores = Scores::with_capacity(recency.len());
        for row in 0..recency.len() {
            let cuts = if self.is_complete(row) {
                cuts(row)?
            } else {
                None
            };
            let score = cuts.map(|cuts| cuts.score(recency[row], frequency[row], monetary[row]));
            scores.push(score);
        }
        scores.finish()
    }
}

/// Scores row by row. Its parts carry the NULLs as well as the whole: `score['r']` must be NULL
/// where the score is.
struct Scores {
    parts: [Vec<i32>; 4],
    valid: Vec<bool>,
}

impl Scores {
    fn with_capacity(rows: usize) -> Self {
        Self {
            parts: std::array::from_fn(|_| Vec::with_capacity(rows)),
            valid: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, score: Option<[i32; 3]>) {
        let [r, f, m] = score.unwrap_or_default();
        for (part, value) in self.parts.iter_mut().zip([r, f, m, combined([r, f, m])]) {
            part.push(value);
        }
        self.valid.push(score.is_some());
    }

    fn finish(self) -> Result<StructArray> {
        let rows = self.valid.len();
        let nulls = NullBuffer::from(self.valid);
        finish(self.parts, (nulls.null_count() > 0).then_some(nulls), rows)
    }
}

fn finish(parts: [Vec<i32>; 4], nulls: Option<NullBuffer>, rows: usize) -> Result<StructArray> {
    let part =
        |values: Vec<i32>| -> ArrayRef { Arc::new(Int32Array::new(values.into(), nulls.clone())) };
    let parts = parts.map(part).to_vec();
    StructArray::try_new_with_length(fields(), parts, nulls, rows)
        .map_err(|error| exec_datafusion_err!("scores do not fit together: {error}"))
}
