//! What a plan reads of the rows that a run shares: found in the plan as it will be
//! optimised when it runs.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::logical_expr::{Expr, LogicalPlan};

use super::Engine;
use super::bases::{base_of, reads};
use crate::plan::for_each_scan;

/// What is read of bases.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Columns by base.
    pub(super) columns: BTreeMap<usize, BTreeSet<usize>>,
    /// Scans by base.
    pub(super) scans: BTreeMap<usize, usize>,
    /// Only filters and projects a base: work for one core.
    pub(super) is_light: bool,
    /// The base and its column by which such rows are sorted.
    pub(super) order: Option<(usize, usize)>,
}

impl Reading {
    /// The bases.
    pub(super) fn bases(&self) -> BTreeSet<usize> {
        self.columns.keys().copied().collect()
    }
}

/// Looks at a plan; one that cannot be optimised may read everything.
pub(super) fn readings(engine: &Engine, plan: &LogicalPlan) -> Reading {
    let mut reading = Reading::default();
    if reads(plan).is_empty() {
        return reading;
    }
    let optimised = engine.session.state().optimize(plan);
    let plan = optimised.as_ref().unwrap_or(plan);
    // Nothing in the walk can fail.
    let _ = for_each_scan(plan, |source, columns| {
        let Some(id) = base_of(source) else { return };
        let read = reading.columns.entry(id).or_default();
        match columns {
            Some(columns) => read.extend(columns),
            None => read.extend(0..source.schema().fields().len()),
        }
        // Rows can be counted by any column.
        if read.is_empty() {
            read.insert(0);
        }
        *reading.scans.entry(id).or_default() += 1;
    });
    if let LogicalPlan::Sort(sort) = plan {
        let mut column = match sort.expr.as_slice() {
            [only] => Some(only.expr.clone()),
            _ => None,
        };
        let base = lightly_read(&sort.input, &mut column);
        reading.is_light = base.is_some();
        reading.order = base.zip(column.as_ref()).and_then(|(scan, column)| {
            let LogicalPlan::TableScan(scan) = scan else {
                return None;
            };
            let Expr::Column(column) = column else {
                return None;
            };
            Some((
                base_of(&scan.source)?,
                scan.source.schema().index_of(&column.name).ok()?,
            ))
        });
    }
    reading
}

/// The scan of a base below nothing but filters and projections; `column` becomes the
/// column of the scan that it is, if it is one.
fn lightly_read<'p>(plan: &'p LogicalPlan, column: &mut Option<Expr>) -> Option<&'p LogicalPlan> {
    match plan {
        LogicalPlan::TableScan(scan) => base_of(&scan.source).map(|_| plan),
        LogicalPlan::Filter(filter) => lightly_read(&filter.input, column),
        LogicalPlan::SubqueryAlias(alias) => {
            *column = renamed(column.take(), plan, &alias.input);
            lightly_read(&alias.input, column)
        }
        LogicalPlan::Projection(projection) => {
            let place = position(column.as_ref(), plan);
            let below = place.and_then(|place| projection.expr.get(place)).cloned();
            *column = below.map(Expr::unalias_nested).map(|below| below.data);
            lightly_read(&projection.input, column)
        }
        _ => None,
    }
}

fn position(column: Option<&Expr>, plan: &LogicalPlan) -> Option<usize> {
    match column {
        Some(Expr::Column(column)) => plan.schema().maybe_index_of_column(column),
        _ => None,
    }
}

fn renamed(column: Option<Expr>, plan: &LogicalPlan, below: &LogicalPlan) -> Option<Expr> {
    let place = position(column.as_ref(), plan)?;
    Some(Expr::Column(below.schema().qualified_field(place).into()))
}
