//! `rfm_score` in steps, for a physical operator of its own: the measures of each batch, their
//! cuts by counting passes or group by group, and the scores.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, internal_datafusion_err};
use datafusion_expr::WindowUDF;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

pub use crate::math::counting::{Counts, Selection};
use crate::math::quantile::cut_points;
use crate::math::rfm::Cuts;
use crate::scores::Measures;
use crate::window::{bins_of, measures};

/// The number of measures: recency, frequency, monetary.
pub const MEASURES: usize = 3;

/// A call of `rfm_score`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scoring {
    bins: usize,
}

impl Scoring {
    /// Reads a call in a physical plan. `None` if it is of another function, or one that
    /// `rfm_score` refuses when it runs.
    #[must_use]
    pub fn of(function: &WindowUDF, args: &[Arc<dyn PhysicalExpr>]) -> Option<Self> {
        bins_of(function, args).map(|bins| Self { bins })
    }

    /// The measures of some rows as columns of DOUBLE, all NULL where one of them is.
    ///
    /// # Errors
    /// If one is NaN.
    pub fn measures(&self, arguments: &[ArrayRef]) -> Result<[ArrayRef; MEASURES]> {
        let columns = measures(arguments)?.into_columns();
        Ok(columns.map(|column| Arc::new(column) as ArrayRef))
    }

    /// What finds the cuts of each measure.
    #[must_use]
    pub fn selections(&self) -> [Selection; MEASURES] {
        std::array::from_fn(|_| Selection::new(self.bins))
    }

    /// The cuts of values that are not NaN, which are reordered; `None` without values.
    #[must_use]
    pub fn cuts(&self, values: &mut [f64]) -> Option<Vec<f64>> {
        cut_points(values, self.bins)
    }

    /// The cuts of groups of values, each as long as `lengths` says, one group's after another's.
    #[must_use]
    pub fn cuts_of_groups(&self, mut values: &mut [f64], lengths: &[usize]) -> Vec<f64> {
        let mut all = Vec::with_capacity(lengths.len() * self.cuts_a_group());
        for length in lengths {
            let (group, rest) = values.split_at_mut(*length);
            match self.cuts(group) {
                Some(cuts) => all.extend(cuts),
                // No row asks for these.
                None => all.resize(all.len() + self.cuts_a_group(), 0.0),
            }
            values = rest;
        }
        all
    }

    /// How many cuts each group has.
    #[must_use]
    pub fn cuts_a_group(&self) -> usize {
        self.bins - 1
    }

    /// The scores of rows whose measures were read by [`Self::measures`]; NULL without cuts.
    ///
    /// # Errors
    /// If the measures are not what that function gives.
    pub fn score(
        &self,
        measures: &[ArrayRef],
        cuts: &[Option<Vec<f64>>; MEASURES],
    ) -> Result<ArrayRef> {
        let cuts = match cuts {
            [Some(recency), Some(frequency), Some(monetary)] => Some(Cuts {
                recency,
                frequency,
                monetary,
            }),
            _ => None,
        };
        Ok(Arc::new(read(measures)?.score_all(cuts)?))
    }

    /// As [`Self::score`], each row with the cuts of its group, from [`Self::cuts_of_groups`].
    ///
    /// # Errors
    /// If the measures are not what [`Self::measures`] gives.
    pub fn score_in_groups(
        &self,
        measures: &[ArrayRef],
        groups: &[u32],
        cuts: &[Vec<f64>; MEASURES],
    ) -> Result<ArrayRef> {
        let width = self.cuts_a_group();
        let [recency, frequency, monetary] = cuts;
        let of_row = |row: usize| {
            let from = groups[row] as usize * width;
            let of_group = from..from + width;
            Ok(Some(Cuts {
                recency: &recency[of_group.clone()],
                frequency: &frequency[of_group.clone()],
                monetary: &monetary[of_group],
            }))
        };
        Ok(Arc::new(read(measures)?.score(of_row)?))
    }
}

/// The values of a measure that enter the cuts.
pub fn entering(measure: &ArrayRef) -> impl Iterator<Item = (usize, f64)> + '_ {
    let values = measure.as_primitive::<Float64Type>();
    let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
    let all = values.values().iter().enumerate();
    all.filter(move |(row, _)| nulls.is_none_or(|nulls| nulls.is_valid(*row)))
        .map(|(row, value)| (row, value + 0.0))
}

fn read(measures: &[ArrayRef]) -> Result<Measures> {
    let columns = measures.iter().map(|column| {
        let doubles = column.as_primitive_opt::<Float64Type>();
        doubles.cloned()
    });
    let columns: Option<Vec<Float64Array>> = columns.collect();
    let columns = columns.and_then(|columns| <[Float64Array; MEASURES]>::try_from(columns).ok());
    let columns =
        columns.ok_or_else(|| internal_datafusion_err!("these are not three measures"))?;
    Ok(Measures::from_columns(columns))
}
