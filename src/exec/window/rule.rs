//! The rules that put the operators into plans.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::window::WindowExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode, PhysicalExpr};

use super::accounted::AccountedExec;
use super::counted::CountedWindowExec;
use super::function::{Function, Place};
use super::whole::WholeFrameExec;

/// Gives windows to our operators. Runs before DataFusion sees to the distribution and the order
/// that operators ask for: ours ask for less.
#[derive(Debug)]
pub(in crate::exec) struct Windows;

/// Counts what the windows hold that stayed with DataFusion. Runs last, or a sort would come
/// between.
#[derive(Debug)]
pub(in crate::exec) struct AccountedWindows;

impl PhysicalOptimizerRule for Windows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match plan.downcast_ref::<WindowAggExec>() {
            Some(window) => shared_out(window).map(|ours| match ours {
                Some(ours) => Transformed::yes(ours),
                None => Transformed::no(plan),
            }),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "windows_within_memory"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl PhysicalOptimizerRule for AccountedWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match plan.downcast_ref::<WindowAggExec>() {
            Some(window) => {
                let input = Arc::new(AccountedExec::new(Arc::clone(window.input())));
                let partitioned = !window.partition_keys().is_empty();
                let exprs = window.window_expr().to_vec();
                let window = WindowAggExec::try_new(exprs, input, partitioned)?;
                Ok(Transformed::yes(Arc::new(window) as _))
            }
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "accounted_windows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Expressions of one window, by the operator that computes them, with their places among all.
#[derive(Default)]
struct Shares {
    whole: Share<Function>,
    places: Share<Place>,
    bounded: Share<()>,
    rest: Share<()>,
}

struct Share<T> {
    at: Vec<usize>,
    exprs: Vec<Arc<dyn WindowExpr>>,
    functions: Vec<T>,
}

impl<T> Default for Share<T> {
    fn default() -> Self {
        Self {
            at: vec![],
            exprs: vec![],
            functions: vec![],
        }
    }
}

impl<T> Share<T> {
    fn push(&mut self, at: usize, expr: &Arc<dyn WindowExpr>, function: T) {
        self.at.push(at);
        self.exprs.push(Arc::clone(expr));
        self.functions.push(function);
    }
}

impl Shares {
    fn of(window: &WindowAggExec) -> Result<Self> {
        let schema = window.input().schema();
        let mut plain_keys = true;
        for key in window.window_expr()[0].partition_by() {
            plain_keys &= is_plain(&key.data_type(&schema)?);
        }
        let mut shares = Self::default();
        for (at, expr) in window.window_expr().iter().enumerate() {
            if let Some(function) = Function::of(expr).filter(|_| plain_keys) {
                shares.whole.push(at, expr, function);
            } else if let Some(place) = Place::of(expr) {
                shares.places.push(at, expr, place);
            } else if expr.uses_bounded_memory() {
                shares.bounded.push(at, expr, ());
            } else {
                shares.rest.push(at, expr, ());
            }
        }
        Ok(shares)
    }
}

/// Whether equal keys are also the same to a sort: of floats, 0 and -0 are not.
fn is_plain(key: &DataType) -> bool {
    let value = match key {
        DataType::Dictionary(_, value) => value,
        other => other,
    };
    !value.is_floating() && !value.is_nested()
}

/// A window as one operator on the other, each with the expressions it can compute; `None` if none
/// is for ours.
fn shared_out(window: &WindowAggExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Shares {
        whole,
        places,
        bounded,
        rest,
    } = Shares::of(window)?;
    if whole.at.is_empty() && places.at.is_empty() {
        return Ok(None);
    }
    let partitioned = !window.partition_keys().is_empty();
    let mut plan = Arc::clone(window.input());
    let width = plan.schema().fields().len();
    let order = [&whole.at, &places.at, &rest.at, &bounded.at];
    let order: Vec<usize> = order.into_iter().flatten().copied().collect();
    if !whole.at.is_empty() {
        let Share {
            exprs, functions, ..
        } = whole;
        plan = Arc::new(WholeFrameExec::new(plan, &exprs, functions, partitioned)?);
    }
    if !places.at.is_empty() {
        let Share {
            exprs, functions, ..
        } = places;
        plan = Arc::new(CountedWindowExec::new(plan, exprs, functions, partitioned)?);
    }
    if !rest.at.is_empty() {
        plan = Arc::new(WindowAggExec::try_new(rest.exprs, plan, partitioned)?);
    }
    if !bounded.at.is_empty() {
        let mode = InputOrderMode::Sorted;
        let window = BoundedWindowAggExec::try_new(bounded.exprs, plan, mode, partitioned)?;
        plan = Arc::new(window);
    }
    if order.is_sorted() {
        return Ok(Some(plan));
    }
    in_order(plan, width, &order).map(Some)
}

/// Puts the appended columns into their places.
fn in_order(
    plan: Arc<dyn ExecutionPlan>,
    width: usize,
    order: &[usize],
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let mut from: Vec<usize> = (0..width + order.len()).collect();
    for (now, at) in order.iter().enumerate() {
        from[width + at] = width + now;
    }
    let column = |from: usize| {
        let name = schema.field(from).name();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, from));
        (column, name.clone())
    };
    let columns: Vec<_> = from.into_iter().map(column).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}
