//! Which window functions our operators compute, read from DataFusion's expressions.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window::cume_dist::CumeDist;
use datafusion::functions_window::ntile::Ntile;
use datafusion::functions_window::rank::Rank;
use datafusion::logical_expr::{WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::{PlainAggregateWindowExpr, StandardWindowExpr, WindowExpr};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::windows::WindowUDFExpr;
use segql_udfs::scoring::Scoring;

/// Aggregates whose answer does not depend on the order of rows: their parts may be folded apart.
const ORDERLESS: [&str; 41] = [
    "affinity",
    "approx_distinct",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "favourite",
    "gini",
    "max",
    "mean",
    "median",
    "min",
    "purchase_rhythm",
    "quantile_cuts",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "rfm_cuts",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var",
    "var_pop",
    "var_population",
    "var_samp",
    "var_sample",
    "covar",
    "percentile_cont",
];

/// A function whose frame is its whole partition.
#[derive(Debug, Clone)]
pub(super) enum Function {
    Aggregate(Aggregate),
    Scores {
        scoring: Scoring,
        arguments: Vec<Arc<dyn PhysicalExpr>>,
    },
}

/// An aggregate without FILTER.
#[derive(Debug, Clone)]
pub(super) struct Aggregate(pub(super) Arc<AggregateFunctionExpr>);

impl Function {
    /// Reads a window expression; `None` if its frame is not the whole partition, or its rows'
    /// order matters.
    pub(super) fn of(expr: &Arc<dyn WindowExpr>) -> Option<Self> {
        if let Some(window) = expr.as_any().downcast_ref::<PlainAggregateWindowExpr>() {
            let aggregate = Aggregate(Arc::new(window.get_aggregate_expr().clone()));
            let any_order = expr.order_by().is_empty() || aggregate.is_orderless();
            let ours = any_order && sees_all(expr) && !is_filtered(window);
            return ours.then_some(Self::Aggregate(aggregate));
        }
        let call = udf_call(expr)?;
        let scoring = Scoring::of(call.fun(), call.args())?;
        let arguments = expr.expressions();
        Some(Self::Scores { scoring, arguments })
    }

    /// Whether parts of the rows can be folded apart, in any order.
    pub(super) fn is_orderless(&self) -> bool {
        match self {
            Self::Aggregate(aggregate) => aggregate.is_orderless(),
            Self::Scores { .. } => true,
        }
    }
}

impl Aggregate {
    fn is_orderless(&self) -> bool {
        ORDERLESS.contains(&self.0.fun().name())
    }

    pub(super) fn arguments(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        evaluate(&self.0.expressions(), batch)
    }
}

/// Whether the frame of every row is its whole partition.
fn sees_all(expr: &Arc<dyn WindowExpr>) -> bool {
    let frame = expr.get_window_frame();
    let all_are_peers = frame.units == WindowFrameUnits::Range && expr.order_by().is_empty();
    let reaches = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow => all_are_peers,
        bound => bound.is_unbounded(),
    };
    reaches(&frame.start_bound) && reaches(&frame.end_bound)
}

/// Whether there is a FILTER, which DataFusion does not hand out; it shows whether there is none.
fn is_filtered(window: &PlainAggregateWindowExpr) -> bool {
    !format!("{window:?}").ends_with("filter: None }")
}

/// The values of expressions, as arrays.
pub(super) fn evaluate(
    exprs: &[Arc<dyn PhysicalExpr>],
    batch: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    let value = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(batch.num_rows());
    exprs.iter().map(value).collect()
}

/// A function of the row's place among a known number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Ntile { buckets: u64 },
    PercentRank,
    CumeDist,
}

impl Place {
    /// Reads a window expression; `None` if it is of another function, or one that is refused when
    /// it runs.
    pub(super) fn of(expr: &Arc<dyn WindowExpr>) -> Option<Self> {
        let call = udf_call(expr)?;
        let function = call.fun().inner();
        if function.is::<CumeDist>() {
            return Some(Self::CumeDist);
        }
        if function.is::<Rank>() && function.name() == "percent_rank" {
            return Some(Self::PercentRank);
        }
        function.downcast_ref::<Ntile>()?;
        let literal = call.args().first()?.downcast_ref::<Literal>()?;
        let buckets = literal.value().cast_to(&DataType::UInt64).ok()?;
        match buckets {
            ScalarValue::UInt64(Some(buckets)) if buckets > 0 => Some(Self::Ntile { buckets }),
            _ => None,
        }
    }

    /// Whether equal rows matter.
    pub(super) fn sees_peers(self) -> bool {
        !matches!(self, Self::Ntile { .. })
    }
}

fn udf_call(expr: &Arc<dyn WindowExpr>) -> Option<&WindowUDFExpr> {
    let standard = expr.as_any().downcast_ref::<StandardWindowExpr>()?;
    let function = standard.get_standard_func_expr().as_any();
    function.downcast_ref::<WindowUDFExpr>()
}
